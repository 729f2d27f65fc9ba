import { existsSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

const folder =
  process.env.MODELGATE_TOOLS ??
  path.join(process.env.XDG_CACHE_HOME ?? path.join(os.homedir(), '.cache'), 'modelgate-tools');

/** Programs that scripts/install-tools.sh installs. */
export const tools = {
  actionlint: path.join(folder, 'bin/actionlint'),
  zizmor: path.join(folder, 'linters/bin/zizmor'),
  checkJsonschema: path.join(folder, 'linters/bin/check-jsonschema'),
  act: path.join(folder, 'bin/act'),
  osvScanner: path.join(folder, 'bin/osv-scanner'),
};

/** What is said where a program is missing; null when it is there. Under CI it must be there. */
export function missing(tool: keyof typeof tools): string | null {
  return process.env.CI || existsSync(tools[tool]) ? null : 'run scripts/install-tools.sh';
}
