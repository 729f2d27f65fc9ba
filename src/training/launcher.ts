import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { assetPath } from '../assets.ts';
import { asStorageError } from '../errors.ts';
import { canonicalJson, type Json } from '../json.ts';
import type { Logger } from '../logger.ts';
import { classifyEnding } from './failure.ts';
import { runProcess } from './process.ts';

export interface Launch {
  /** The environment's interpreter. */
  python: string;
  /** Folder with the script and the files beside it. */
  codeDirectory: string;
  script: string;
  /** Folder with train.parquet, validation.parquet, parity.parquet and features.json. */
  inputDirectory: string;
  /** An empty folder that the script fills. */
  outputDirectory: string;
  /** A folder for params.json and whatever the script takes for its home. */
  scratchDirectory: string;
  params: Record<string, Json>;
  seed: number;
  /** Train on a bootstrap of the rows, drawn with this seed. */
  bootstrap?: number | undefined;
  /** Milliseconds. */
  timeout: number;
  threads?: number;
  logger: Logger;
  signal: AbortSignal;
}

/** Lines of the script that are shown as they come; all of them stand in train.log. */
const shownLines = 200;

/**
 * Runs a training script to its end and writes `train.log` into the output folder. The script gets its
 * paths, parameters and seeds as MODELGATE_ variables, and of the caller's environment only what finds
 * libraries and devices: no tokens, no credentials, no home.
 *
 * Throws `training_timeout`, `training_out_of_memory`, `training_disk_full`, `training_failed`.
 */
export async function launchTraining(launch: Launch): Promise<{ seconds: number }> {
  const { logger, outputDirectory, scratchDirectory } = launch;
  const home = join(scratchDirectory, 'home');
  const params = join(scratchDirectory, 'params.json');
  const modules = join(scratchDirectory, 'python');
  try {
    await mkdir(home, { recursive: true });
    await mkdir(modules);
    // a copy, since Python writes its compiled form beside it
    await copyFile(assetPath(import.meta.url, 'modelgate.py', 'python/'), join(modules, 'modelgate.py'));
    await writeFile(params, canonicalJson(launch.params));
  } catch (error) {
    throw asStorageError(error, scratchDirectory);
  }
  let shown = 0;
  const result = await runProcess({
    command: launch.python,
    args: [join(launch.codeDirectory, launch.script)],
    cwd: launch.codeDirectory,
    env: {
      ...deviceVariables(),
      HOME: home,
      PYTHONPATH: modules,
      PYTHONHASHSEED: String(launch.seed % 4_294_967_296),
      PYTHONUNBUFFERED: '1',
      PYTHONUTF8: '1',
      OMP_NUM_THREADS: String(launch.threads ?? availableParallelism()),
      // threads that wait must not spin: on a machine with other work they cost many times the training itself
      OMP_WAIT_POLICY: 'PASSIVE',
      MODELGATE_INPUT: launch.inputDirectory,
      MODELGATE_OUTPUT: outputDirectory,
      MODELGATE_PARAMS: params,
      MODELGATE_SEED: String(launch.seed),
      ...(launch.bootstrap === undefined ? {} : { MODELGATE_BOOTSTRAP: String(launch.bootstrap) }),
    },
    signal: launch.signal,
    timeout: launch.timeout,
    onLine: (line) => {
      shown++;
      if (shown <= shownLines) logger.info(line.slice(0, 200));
      else if (shown === shownLines + 1) logger.info('… (more in train.log)');
    },
  });
  try {
    await writeFile(join(outputDirectory, 'train.log'), result.output);
  } catch (error) {
    throw asStorageError(error, outputDirectory);
  }
  const failure = classifyEnding(result, launch.timeout);
  if (failure !== null) throw failure;
  return { seconds: result.seconds };
}

function deviceVariables(): Record<string, string> {
  const allowed =
    /^(PATH|SYSTEMROOT|TMPDIR|TEMP|TMP|LANG|LC_ALL|TZ|LD_LIBRARY_PATH|CUDA_[A-Z_]+|NVIDIA_[A-Z_]+|HIP_VISIBLE_DEVICES|ROCR_VISIBLE_DEVICES|NCCL_[A-Z_]+)$/;
  return Object.fromEntries(
    Object.entries(process.env).filter(
      (entry): entry is [string, string] => entry[1] !== undefined && allowed.test(entry[0]),
    ),
  );
}
