import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

/** Temporary files of a test run lie in one folder, which goes with it, whatever its tests left. */
export default function setup(): () => void {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'modelgate-tests-'));
  process.env.TMPDIR = folder;
  return () => rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
}
