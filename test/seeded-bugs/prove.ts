/**
 * `node --import switch.ts prove.ts PROOF`: runs a short proof in this process, with the bug that SEEDED_BUG names, and
 * writes what it found wrong as a JSON array of texts.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { createThroughFaults } from '../registry/races/faults.ts';
import { moveTwice } from '../registry/races/moves.ts';
import { brisk, openPlace, patient } from '../registry/races/place.ts';
import { describeTally, isClean } from '../registry/races/tally.ts';
import { isRight, tryAnchors } from '../registry/verify/anchor-cases.ts';
import { flipBits } from '../registry/verify/bit-flips.ts';
import { surviveMutants } from '../registry/verify/survival.ts';
import { tryArchives } from '../store/hostile-archives.ts';
import { tryHandoffs } from '../store/hostile-handoffs.ts';
import { tryLinks } from '../store/hostile-links.ts';
import { tryNames } from '../store/hostile-names.ts';
import { evenly, seeded, startFaultProxy } from '../store/servers/fault-proxy.ts';
import { bucket, environmentFor, startS3 } from '../store/servers/s3-server.ts';
import type { SingleProof } from './proofs.ts';

const proofs: Record<SingleProof, (folder: string) => Promise<readonly string[]>> = {
  flips: async (folder) => (await flipBits({ folder, count: 60, seed: 2 })).unseen,
  anchors: async (folder) =>
    (await tryAnchors(folder)).filter((one) => !isRight(one)).map((one) => JSON.stringify(one)),
  survival: async (folder) => (await surviveMutants({ folder, count: 60, seed: 3 })).failures,
  names: async (jail) => (await tryNames({ jail, count: 110, seed: 1 })).problems,
  archives: async (jail) => (await tryArchives({ jail, count: 60, seed: 1 })).problems,
  handoffs: async (jail) => (await tryHandoffs(jail)).problems,
  links: async (jail) => (await tryLinks(jail)).problems,
  moves: moveTwice,
  faults: throughFaults,
};

/** Log entries created on an S3 server behind a proxy that loses answers and makes them up. */
async function throughFaults(cache: string): Promise<readonly string[]> {
  const server = await startS3();
  const proxy = await startFaultProxy({ upstream: server.port, fault: seeded(5, evenly(0.3)) });
  try {
    Object.assign(process.env, server.environment);
    const place = { url: `s3://${bucket}/faults`, cache };
    const open = () => openPlace({ ...place, patience: brisk }, environmentFor(proxy.port));
    const tally = await createThroughFaults({
      writers: [await open(), await open(), await open()],
      direct: await openPlace({ ...place, patience: patient }),
      operations: 90,
    });
    return isClean(tally) ? [] : [describeTally('creates', tally)];
  } finally {
    proxy.stop();
    await server.stop();
  }
}

const folder = mkdtempSync(path.join(os.tmpdir(), 'modelgate-prove-'));
try {
  const found = await proofs[process.argv[2] as SingleProof](folder).catch((error: unknown) => {
    // a bug may break the proof's own use of the product: that is seen too, but not a bug that could not be made
    if (error instanceof Error && !error.message.startsWith('Seeded bug')) return [String(error)];
    throw error;
  });
  process.stdout.write(JSON.stringify(found.slice(0, 20)));
} finally {
  rmSync(folder, { recursive: true, force: true });
}
