import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseOutputs } from '../../test/actions/job.ts';
import { prepareStart, type Start } from '../../test/packaging/action.ts';

const hook = path.join(import.meta.dirname, '../../test/packaging/record-modules.mjs');

/** Of one run of an entry. */
export interface Loaded {
  /** Of bundled JavaScript that its own process loads. */
  bytes: number;
  /** Of the outcome; empty for a command. */
  reason: string;
}

/** Runs an entry once, and counts what it loads. */
export async function loadedBy(start: Start, record: string): Promise<Loaded> {
  const env = { ...start.env, MODULES_FILE: record };
  const ready = await prepareStart({ ...start, env, flags: ['--import', hook] });
  const { code, log, outputs } = await ready.run();
  if (code !== 0 && code !== 2) throw new Error(`${start.entry}: ${code}\n${log}`);
  const urls = JSON.parse(await readFile(record, 'utf8')) as string[];
  const files = new Set(urls.filter((url) => url.startsWith('file:')).map((url) => fileURLToPath(url)));
  const ours = [...files].filter((file) => file.startsWith(start.dist));
  const sizes = await Promise.all(ours.map(async (file) => (await stat(file)).size));
  return {
    bytes: sizes.reduce((sum, size) => sum + size, 0),
    reason: parseOutputs(outputs)['reason-code'] ?? '',
  };
}
