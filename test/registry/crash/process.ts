import { type ChildProcess, spawn } from 'node:child_process';
import path from 'node:path';
import { outcomeIn, type Told, toldIn } from './told.ts';

const program = path.join(import.meta.dirname, 'operations.ts');
const commandLine = path.join(import.meta.dirname, '../../../bin/modelgate.js');
const bugSwitch = path.join(import.meta.dirname, '../../seeded-bugs/switch.ts');

/** The steps of a process, on a store, with a seeded bug or (null) without. */
export interface Work {
  folder: string;
  steps: readonly string[];
  bug: string | null;
  /** The command line does it, not `operations.ts`; for the one step `promote`. */
  cli?: boolean;
}

export interface Ended {
  /** Null after a signal. */
  code: number | null;
  told: Told[];
  stderr: string;
}

/** One thread for file calls: their order, and so the number of each, is that of the program. */
const environment = { UV_THREADPOOL_SIZE: '1', UV_USE_IO_URING: '0' };
/** Room for all that a process makes: the tasks of garbage collection would write, to wake threads, at any moment. */
const nodeOptions = ['--min-semi-space-size=128'];

/** Starts a process; `under` is a command that runs it, such as strace. */
export function start(
  work: Work,
  under: readonly string[] = [],
): { child: ChildProcess; ended: Promise<Ended> } {
  const node = [process.execPath, ...nodeOptions, ...(work.bug === null ? [] : ['--import', bugSwitch])];
  const args = work.cli ? commandArguments(work) : [program, work.folder, ...work.steps];
  const [file = '', ...rest] = [...under, ...node, ...args];
  const child = spawn(file, rest, {
    env: { ...process.env, ...environment, SEEDED_BUG: work.bug ?? '' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (part: string) => {
    stdout += part;
  });
  child.stderr.setEncoding('utf8').on('data', (part: string) => {
    stderr = (stderr + part).slice(-4000);
  });
  const ended = new Promise<Ended>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) =>
      resolve({ code, told: work.cli ? outcomeIn(stdout) : toldIn(stdout), stderr }),
    );
  });
  return { child, ended };
}

function commandArguments({ folder, steps: [step = ''] }: Work): string[] {
  const [what = '', version = '', environment = '', op_id = ''] = step.split(':');
  if (what !== 'promote') throw new RangeError(`the command line is given no ${what} here`);
  const model = `flights-late@${version}`;
  return [commandLine, what, model, '--to', environment, '--op-id', op_id, '--store', folder, '--json'];
}
