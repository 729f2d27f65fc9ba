import { chmodSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { verify } from '../../../src/registry/verify.ts';
import { seededRandom } from '../../../src/stats/random.ts';
import { FileSystemStorage } from '../../../src/store/file-system.ts';
import { fillStore, readTree } from './specimen.ts';

export interface FlipTally {
  flips: number;
  /** Flips by the folder that they hit. */
  places: Record<string, number>;
  /** Flips that verify did not report with their key. */
  unseen: string[];
}

/**
 * Flips single bits, one at a time, in objects, manifests and log entries of a real registry. Each must make it
 * `damaged`, and the key that was hit must stand among what is bad.
 */
export async function flipBits(options: { folder: string; count: number; seed: number }): Promise<FlipTally> {
  const { folder, count, seed } = options;
  await fillStore(folder);
  const files = [...readTree(folder)].filter(([key]) => /^(objects|manifests|log)\//.test(key));
  const random = seededRandom(seed);
  const tally: FlipTally = { flips: 0, places: {}, unseen: [] };
  for (; tally.flips < count; tally.flips += 1) {
    const [key, bytes] = files[random.below(files.length)]!;
    const bit = random.below(bytes.length * 8);
    const flipped = Buffer.from(bytes);
    flipped[bit >> 3]! ^= 1 << (bit & 7);
    const file = path.join(folder, key);
    writeOver(file, flipped);
    const { answer, bad } = await verify(new FileSystemStorage(folder), { anchor: null, read_data: true });
    writeOver(file, bytes);
    const [place = ''] = key.split('/');
    tally.places[place] = (tally.places[place] ?? 0) + 1;
    if (answer !== 'damaged' || !bad.some((one) => one.key === key)) {
      tally.unseen.push(`${key} bit ${bit}: ${answer} ${JSON.stringify(bad)}`);
    }
  }
  return tally;
}

function writeOver(file: string, bytes: Buffer): void {
  chmodSync(file, 0o644);
  writeFileSync(file, bytes);
}
