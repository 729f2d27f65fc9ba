import { existsSync } from 'node:fs';
import path from 'node:path';

/** The machine that a job ran on, as the summary shows it. */
export interface RunnerInfo {
  /** The runner's name, or `local`. */
  name: string;
  /** `self-hosted` or `github-hosted`. */
  kind: string;
  /** One line a GPU: name, memory, driver. Empty: none. */
  gpus: string[];
}

/** Names the runner and its GPUs. Never throws: a machine without nvidia-smi has none. */
export async function describeRunner(env: NodeJS.ProcessEnv, nvidiaSmi = 'nvidia-smi'): Promise<RunnerInfo> {
  return {
    name: env.RUNNER_NAME ?? 'local',
    kind: env.RUNNER_ENVIRONMENT ?? 'self-hosted',
    gpus: isInstalled(nvidiaSmi, env) ? await listGpus(nvidiaSmi) : [],
  };
}

/** Most runners have none: looking costs less than starting a process that isn't there. */
function isInstalled(program: string, { PATH = '' }: NodeJS.ProcessEnv): boolean {
  if (process.platform === 'win32') return true; // where a program's name isn't its file's
  const folders = program.includes('/') ? [''] : PATH.split(path.delimiter);
  return folders.some((folder) => existsSync(path.join(folder, program)));
}

async function listGpus(nvidiaSmi: string): Promise<string[]> {
  const { execFile } = await import('node:child_process');
  const query = ['--query-gpu=name,memory.total,driver_version', '--format=csv,noheader'];
  // by a callback: loading node:util for promisify takes longer than all else here
  const printed = await new Promise<string>((resolve) =>
    execFile(nvidiaSmi, query, { timeout: 10_000, maxBuffer: 100_000 }, (error, stdout) =>
      resolve(error === null ? stdout : ''),
    ),
  ).catch(() => '');
  return printed
    .split('\n')
    .map((line) => line.split(',').map((part) => part.trim()))
    .filter(([name]) => name !== undefined && name !== '')
    .slice(0, 16)
    .map(([name, memory, driver]) => `${name} (${memory ?? '?'}, driver ${driver ?? '?'})`);
}
