import { execFile } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { type Answer, binary, parseOne } from './project.ts';

const start = promisify(execFile);

/** Own user and mount namespaces: the mount is nobody else's, and goes with the process. */
const namespace = ['--user', '--map-root-user', '--mount', '--'];

/** Whether this machine lets a process mount a small disk of its own. */
export async function canMount(): Promise<boolean> {
  try {
    await start('unshare', [...namespace, 'sh', '-c', 'mount -t tmpfs -o size=64k tmpfs /mnt']);
    return true;
  } catch {
    return false;
  }
}

/** Each step is a file of its own in $RESULTS: what it printed, what it told, its exit code. */
const steps = `
set -u
mount -t tmpfs -o "$LIMIT" tmpfs "$DISK" || exit 90
step() { name=$1; shift; "$@" >"$RESULTS/$name.out" 2>"$RESULTS/$name.err"; echo $? >"$RESULTS/$name.code"; }
mkdir -p "$DISK/tmp" 2>/dev/null
step full env TMPDIR="$SMALL_TMP" "$NODE" "$BINARY" run --json --store "$STORE"
mount -o remount,size=256m,nr_inodes=100000 "$DISK" || exit 91
mkdir -p "$DISK/tmp"
step verified "$NODE" "$BINARY" registry verify --read-data --json --store "$STORE"
step again env TMPDIR="$SMALL_TMP" "$NODE" "$BINARY" run --json --store "$STORE"
step verified-again "$NODE" "$BINARY" registry verify --read-data --json --store "$STORE"
`;

export interface FullDisk {
  folder: string;
  /** Options of tmpfs: size=…, nr_inodes=…. */
  limit: string;
  /** What lies on the small disk. */
  on: 'store' | 'tmp';
}

export interface FullDiskAnswers {
  full: Answer;
  verified: Answer;
  again: Answer;
  verifiedAgain: Answer;
}

/** A run on a disk that is too small, then the disk grows: verify, the same run again, verify. */
export async function runOnSmallDisk({ folder, limit, on }: FullDisk): Promise<FullDiskAnswers> {
  const name = `${on}-${limit.replace(/\W/g, '-')}`;
  const [disk, results] = [path.join(folder, 'disks', name), path.join(folder, 'results', name)];
  const store = on === 'store' ? path.join(disk, 'store') : path.join(folder, 'stores', name);
  for (const made of [disk, results, path.join(folder, 'tmp'), ...(on === 'tmp' ? [store] : [])]) {
    await mkdir(made, { recursive: true });
  }
  const script = path.join(results, 'steps.sh');
  await writeFile(script, steps);
  await start('unshare', [...namespace, 'sh', script], {
    cwd: folder,
    env: {
      ...process.env,
      LIMIT: limit,
      DISK: disk,
      RESULTS: results,
      NODE: process.execPath,
      BINARY: binary,
      STORE: store,
      SMALL_TMP: on === 'tmp' ? path.join(disk, 'tmp') : path.join(folder, 'tmp'),
    },
  });
  const answer = async (step: string): Promise<Answer> => {
    const read = (kind: string) => readFile(path.join(results, `${step}.${kind}`), 'utf8');
    const stdout = await read('out');
    return {
      code: Number(await read('code')),
      signal: null,
      stdout,
      stderr: await read('err'),
      json: parseOne(stdout),
      seconds: 0,
    };
  };
  return {
    full: await answer('full'),
    verified: await answer('verified'),
    again: await answer('again'),
    verifiedAgain: await answer('verified-again'),
  };
}
