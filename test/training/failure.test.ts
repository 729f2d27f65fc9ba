import { describe, expect, it } from 'vitest';
import { classifyEnding, type Ending, lastLines } from '../../src/training/failure.ts';

const ending = (change: Partial<Ending>): Ending => ({
  code: 1,
  killedBy: null,
  timedOut: false,
  output: '',
  ...change,
});

describe('failure classes of a training script', () => {
  it.each([
    ['its limit of time', ending({ timedOut: true, code: null }), 'training_timeout', 'infrastructure'],
    [
      'a MemoryError',
      ending({ output: 'Traceback\nMemoryError' }),
      'training_out_of_memory',
      'infrastructure',
    ],
    [
      "NumPy's",
      ending({ output: 'numpy._core._exceptions._ArrayMemoryError: x' }),
      'training_out_of_memory',
      'infrastructure',
    ],
    [
      'the GPU',
      ending({ output: 'RuntimeError: CUDA out of memory. Tried' }),
      'training_out_of_memory',
      'infrastructure',
    ],
    ["a shell's 137", ending({ code: 137 }), 'training_out_of_memory', 'infrastructure'],
    [
      "the kernel's SIGKILL",
      ending({ code: null, killedBy: 'SIGKILL' }),
      'training_out_of_memory',
      'infrastructure',
    ],
    [
      'a full disk',
      ending({ output: 'OSError: [Errno 28] No space left on device' }),
      'training_disk_full',
      'infrastructure',
    ],
    ['a crash', ending({ code: null, killedBy: 'SIGSEGV' }), 'training_failed', 'model'],
    ['an exception', ending({ output: 'ValueError: no' }), 'training_failed', 'model'],
    [
      "the GPU's library",
      ending({ output: 'RuntimeError: CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling cublasCreate' }),
      'training_out_of_memory',
      'infrastructure',
    ],
    [
      'a full quota',
      ending({ output: 'OSError: [Errno 122] Disk quota exceeded' }),
      'training_disk_full',
      'infrastructure',
    ],
    [
      'an image that is not there',
      ending({
        code: 125,
        output:
          "Unable to find image 'example/train:1' locally\ndocker: Error response from daemon: manifest for example/train:1 not found: manifest unknown.",
      }),
      'image_unavailable',
      'infrastructure',
    ],
    [
      'an image that may not be had',
      ending({
        code: 125,
        output:
          'docker: Error response from daemon: pull access denied for example/train, repository does not exist',
      }),
      'image_unavailable',
      'infrastructure',
    ],
    [
      'a pod whose image does not come',
      ending({ output: 'Waiting: ImagePullBackOff' }),
      'image_unavailable',
      'infrastructure',
    ],
    [
      'a disk that an image filled',
      ending({
        code: 125,
        output: 'failed to pull image example/train: write /layer: no space left on device',
      }),
      'training_disk_full',
      'infrastructure',
    ],
  ])('[TRN-8] tells %s', (_name, how, code, failureClass) => {
    expect(classifyEnding(how, 60_000)).toMatchObject({ code, failureClass });
  });

  it('is content with exit code 0, whatever was printed', () => {
    expect(classifyEnding(ending({ code: 0, output: 'MemoryError' }), 1)).toBeNull();
  });

  it('does not take what was printed long before the end for the cause', () => {
    const output = `caught a MemoryError, going on\n${'epoch\n'.repeat(3_000)}ValueError: no`;
    expect(classifyEnding(ending({ output }), 1)?.code).toBe('training_failed');
  });

  it('shows the last lines without control characters', () => {
    expect(lastLines('a\r\nb\n\u001b[31mc\n\n', 2)).toBe('  b\n   [31mc');
    expect(classifyEnding(ending({ output: 'KeyError: 1' }), 1)?.message).toContain(
      'exit code 1:\n  KeyError: 1',
    );
  });
});
