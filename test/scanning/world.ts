import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { onTestFinished, vi } from 'vitest';
import type { Digest } from '../../src/json.ts';
import { runStage, type StageContext } from '../../src/stages/define.ts';
import { scan } from '../../src/stages/scan.ts';
import { zip } from '../actions/zip-writer.ts';
import { openContext } from '../gate/world.ts';

export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'scan-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** A program of this name that stands first in PATH. */
export async function putProgram(name: string, script: string): Promise<string> {
  const folder = await temporaryFolder();
  const file = path.join(folder, name);
  await writeFile(file, script);
  await chmod(file, 0o755);
  vi.stubEnv('PATH', `${folder}${path.delimiter}${process.env.PATH}`);
  onTestFinished(() => void vi.unstubAllEnvs());
  return file;
}

/** A critical weakness, as the database of OSV tells it. */
export const weakness = (id: string, ecosystem: string, name: string, fixed: string) => ({
  ...{ schema_version: '1.6.0', id, modified: '2025-01-01T00:00:00Z' },
  severity: [{ type: 'CVSS_V3', score: 'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H' }],
  affected: [
    {
      package: { ecosystem, name },
      ranges: [{ type: 'ECOSYSTEM', events: [{ introduced: '0' }, { fixed }] }],
    },
  ],
});

/** A database for `--offline`: what the scanner would ask api.osv.dev. */
export async function putDatabase(known: readonly ReturnType<typeof weakness>[]): Promise<string> {
  const folder = await temporaryFolder();
  const ecosystems = new Set(known.map(({ affected }) => affected[0]!.package.ecosystem.split(':')[0]!));
  for (const ecosystem of ecosystems) {
    const entries = known.filter(({ affected }) => affected[0]!.package.ecosystem.startsWith(ecosystem));
    await mkdir(path.join(folder, 'osv-scalibr', ecosystem), { recursive: true });
    await writeFile(
      path.join(folder, 'osv-scalibr', ecosystem, 'all.zip'),
      zip(entries.map((one) => ({ name: `${one.id}.json`, content: Buffer.from(JSON.stringify(one)) }))),
    );
  }
  return folder;
}

export const pin = (...packages: string[]) =>
  packages.map((one) => `${one} --hash=sha256:${'a'.repeat(64)}\n`).join('');

/** Runs the stage on a lock, and an image if one is named. */
export async function scanLock(
  lock: string,
  given: { image?: string; context?: StageContext; output?: string } = {},
) {
  const { image = null, context = openContext() } = given;
  const digest: Digest = await context.store.putBytes(Buffer.from(lock));
  const output = given.output ?? path.join(await temporaryFolder(), 'modelgate-scan');
  await mkdir(context.workDirectory, { recursive: true });
  const outcome = await runStage(scan, { model: null, lock: digest, image, output, offline: true }, context);
  return { outcome, output, context, lock: digest };
}
