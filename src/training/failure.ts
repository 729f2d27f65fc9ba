import { UserError } from '../errors.ts';
import { outputLimit, type ProcessResult } from './process.ts';

/** How a training script ended, as far as its failure class depends on it. */
export type Ending = Pick<ProcessResult, 'code' | 'killedBy' | 'timedOut' | 'output'>;

const outOfMemory =
  /\bMemoryError\b|(CUDA|HIP) out of memory|OutOfMemoryError|(CUDNN|CUBLAS)_STATUS_ALLOC_FAILED|CUDA_ERROR_OUT_OF_MEMORY|std::bad_alloc|Cannot allocate memory|ArrayMemoryError/;
/** What docker, podman, containerd and Kubernetes say when an image does not come. */
const imageMissing =
  /Unable to find image '[^'\n]*' locally[\s\S]*(Error response from daemon|not found|denied)|pull access denied for|manifest (for \S+ not found|unknown)|[Ff]ailed to (pull|resolve) (image|reference)|\b(ErrImagePull|ImagePullBackOff)\b|[Dd]ocker pull failed/;
const diskFull = /[Nn]o space left on device|\bENOSPC\b|Disk quota exceeded/;

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
  // before the disk: only a script that started can fill it, and a pull says so itself
  if (imageMissing.test(end) && !diskFull.test(end)) {
    return failure(
      'image_unavailable',
      `The image of the training container could not be pulled:\n${lastLines(ending.output, 4)}`,
      'Check the name, the digest and the credentials of the image, then run the same command again.',
    );
  }
  if (diskFull.test(end)) {
    return failure(
      'training_disk_full',
      'The disk filled up during training.',
      'Free some space and run the same command again.',
    );
  }
  // The kernel's memory killer sends SIGKILL; a shell in between says 137.
  if (outOfMemory.test(end) || ending.code === 137 || ending.killedBy === 'SIGKILL') {
    const gpu = /CUDA|CUDNN|CUBLAS|HIP out of/.test(end) ? ' on the GPU' : '';
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
