import { existsSync, lstatSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { unpackZip } from '../../actions/zip.ts';
import { UserError } from '../../src/errors.ts';
import { seededRandom } from '../../src/stats/random.ts';
import { zip } from '../actions/zip-writer.ts';
import { changedArchive, craftedArchives } from './hostile-zips.ts';
import { escapedFrom, makeJail } from './jail.ts';

export interface ArchiveTally {
  archives: number;
  refused: number;
  unpacked: number;
  /** The slowest one, in seconds of processor time. */
  slowest: number;
  /** MiB by which this process grew at most while it unpacked one. */
  growth: number;
  problems: string[];
}

const limits = { entries: 41_000, bytes: 64_000_000 };
/** Seconds of processor time and MiB that one archive may take. */
const bounds = { seconds: 2, growth: 200 };

/** Unpacks crafted archives, then seeded changes of a sound one, each into a folder of its own in the jail. */
export async function tryArchives(options: {
  jail: string;
  count: number;
  seed: number;
}): Promise<ArchiveTally> {
  const { jail, count, seed } = options;
  const home = makeJail(jail);
  const random = seededRandom(seed);
  const known = craftedArchives(home);
  const tally: ArchiveTally = { archives: 0, refused: 0, unpacked: 0, slowest: 0, growth: 0, problems: [] };
  for (; tally.archives < count; tally.archives += 1) {
    const [what, content] = known[tally.archives] ?? changedArchive(random);
    const wrong =
      (await unpackOne(home, Buffer.isBuffer(content) ? content : zip(content), tally)) ??
      strangeIn(jail, home);
    if (wrong !== null) tally.problems.push(`${what}: ${wrong}`);
  }
  return tally;
}

async function unpackOne(home: string, bytes: Buffer, tally: ArchiveTally): Promise<string | null> {
  const file = path.join(home, 'archive.zip');
  const folder = path.join(home, 'out');
  rmSync(folder, { recursive: true, force: true });
  writeFileSync(file, bytes);
  const before = { cpu: process.cpuUsage(), memory: process.memoryUsage.rss() };
  let peak = before.memory;
  const watch = () => {
    peak = Math.max(peak, process.memoryUsage.rss());
  };
  const watching = setInterval(watch, 2);
  let wrong: string | null = null;
  try {
    await unpackZip(file, folder, limits);
    tally.unpacked += 1;
  } catch (error) {
    tally.refused += 1;
    if (!(error instanceof UserError)) wrong = `not a refusal but ${String(error)}`;
  }
  clearInterval(watching);
  watch();
  const { user, system } = process.cpuUsage(before.cpu);
  const seconds = (user + system) / 1e6;
  const growth = (peak - before.memory) / 2 ** 20;
  tally.slowest = Math.max(tally.slowest, seconds);
  tally.growth = Math.max(tally.growth, Math.round(growth));
  if (seconds > bounds.seconds) wrong ??= `${seconds.toFixed(1)} s of work`;
  if (growth > bounds.growth) wrong ??= `${growth.toFixed(0)} MiB more memory`;
  return wrong;
}

/** What an archive must not leave: anything beside its folder, anything but plain files, too many bytes. */
function strangeIn(jail: string, home: string): string | null {
  const outside = escapedFrom(jail, ['archive.zip', 'out']);
  if (outside.length > 0) {
    for (const name of outside) rmSync(path.join(jail, name), { recursive: true });
    return `it wrote ${outside.join(', ')}`;
  }
  const folder = path.join(home, 'out');
  if (!existsSync(folder)) return null;
  let bytes = 0;
  for (const found of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (found.isDirectory()) continue;
    const { size, nlink } = lstatSync(path.join(found.parentPath, found.name));
    if (!found.isFile() || nlink !== 1) return `it made ${found.name}, which is no plain file`;
    bytes += size;
  }
  return bytes > limits.bytes ? `it wrote ${bytes} bytes` : null;
}
