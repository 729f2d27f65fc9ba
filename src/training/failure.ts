import { UserError } from '../errors.ts';
import { outputLimit, type ProcessResult } from './process.ts';

/** How a training script ended, as far as its failure class depends on it. */
export type Ending = Pick<ProcessResult, 'code' | 'killedBy' | 'timedOut' | 'output'>;

const outOfMemory =
  /\bMemoryError\b|CUDA out of memory|OutOfMemoryError|CUDNN_STATUS_ALLOC_FAILED|std::bad_alloc|Cannot allocate memory|ArrayMemoryError/;
const diskFull = /No space left on device|\bENOSPC\b|Disk quota exceeded/;

/**
 * The user's error for a script that did not end well; null for exit code 0. Only the end of the output is
 * looked at for signs: what a script prints along the way is not its cause of death.
 *
 * @param timeout limit in milliseconds, for the message
 */
export function classifyEnding(ending: Ending, timeout: number): UserError | null {
  if (ending.timedOut) {
    return failure(
      'training_timeout',
      `Training took longer than its limit of ${timeout / 1000} s and was stopped.`,
      'Raise train.timeout in modelgate.yaml, or train on fewer rows.',
    );
  }
  if (ending.code === 0) return null;
  const end = ending.output.slice(-Math.min(8_000, outputLimit / 4));
  if (diskFull.test(end)) {
    return failure(
      'training_disk_full',
      'The disk filled up during training.',
      'Free some space and run the same command again.',
    );
  }
  // The kernel's memory killer sends SIGKILL; a shell in between says 137.
  if (outOfMemory.test(end) || ending.code === 137 || ending.killedBy === 'SIGKILL') {
    const gpu = /CUDA|CUDNN/.test(end) ? ' on the GPU' : '';
    return failure(
      'training_out_of_memory',
      `Training ran out of memory${gpu}${ending.killedBy === 'SIGKILL' ? ' (it was killed by the system)' : ''}.`,
      'Train on fewer rows or smaller batches, or on a machine with more memory.',
    );
  }
  const how = ending.killedBy === null ? `with exit code ${ending.code}` : `by ${ending.killedBy}`;
  return failure(
    'training_failed',
    `The training script ended ${how}:\n${lastLines(ending.output, 12)}`,
    'Mend the script; it can be run alone as docs/training.md shows.',
  );
}

/** The last lines of an output, control characters taken out, each at most 300 characters. */
export function lastLines(output: string, count: number): string {
  const lines = output
    .split(/[\r\n]+/)
    .map((line) => line.replace(/\p{Cc}/gu, ' ').trimEnd())
    .filter((line) => line !== '');
  if (lines.length === 0) return '(it printed nothing)';
  return lines
    .slice(-count)
    .map((line) => `  ${line.slice(0, 300)}`)
    .join('\n');
}

function failure(code: UserError['code'], message: string, fix: string): UserError {
  return new UserError({ code, message, where: 'train.script', fix });
}
