import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { type Ended, start, type Work } from './process.ts';
import { parseTrace, type Syscall } from './syscalls.ts';

/** What changes files, and what tells which file is meant. The disk's model refuses those that it does not know. */
const traced = [
  ...['open', 'openat', 'creat', 'close', 'dup', 'dup2', 'dup3', 'fcntl'],
  ...['write', 'pwrite64', 'writev', 'pwritev', 'pwritev2', 'ftruncate', 'truncate', 'fallocate'],
  ...['copy_file_range', 'sendfile', 'splice', 'fsync', 'fdatasync', 'sync_file_range', 'syncfs', 'sync'],
  ...['link', 'linkat', 'rename', 'renameat', 'renameat2', 'unlink', 'unlinkat', 'rmdir', 'mkdir', 'mkdirat'],
  ...['symlink', 'symlinkat', 'io_uring_enter'],
];

/** What is said when there is no strace to inject with; null when there is one. Under CI there must be one. */
export function noStrace(): string | null {
  if (process.env.CI) return null;
  const probe = spawnSync('strace', ['-qq', '-o', '/dev/null', 'true']);
  if (probe.status === 0) return null;
  return 'no strace that may trace: run scripts/install-tools.sh';
}

/** One fault, put in place of call number `when` (from 1) of a system call; of the calls of one thread. */
export interface Fault {
  syscall: string;
  when: number;
  /** SIGKILL kills before the call has any effect; an error is the call's answer, without any effect. */
  what: 'SIGKILL' | 'EIO' | 'ENOSPC' | { delaySeconds: number };
}

export interface Traced extends Ended {
  calls: Syscall[];
}

/** Runs a process under strace, all its threads, with a fault or (null) undisturbed. */
export async function trace(work: Work, options: { log: string; fault: Fault | null }): Promise<Traced> {
  const result = await start(work, straceCommand(options)).ended;
  return { ...result, calls: parseTrace(readFileSync(options.log, 'latin1')) };
}

function straceCommand({ log, fault }: { log: string; fault: Fault | null }): string[] {
  return [
    'strace',
    '-f',
    // stops the process at these calls alone; strace 6.1 then leaves out injected signals
    ...(fault?.what === 'SIGKILL' ? [] : ['--seccomp-bpf']),
    // whole strings in hexadecimal
    ...['-qq', '-xx', '-s', '4194304', '-o', log],
    // a system call that this machine does not have is left out (?)
    ...['-e', `trace=${traced.map((name) => `?${name}`).join(',')}`, '-e', 'signal=none'],
    ...(fault === null ? [] : ['-e', `inject=${fault.syscall}:${action(fault.what)}:when=${fault.when}`]),
  ];
}

function action(what: Fault['what']): string {
  if (typeof what === 'object') return `delay_enter=${what.delaySeconds}s`;
  return what === 'SIGKILL' ? 'signal=SIGKILL' : `error=${what}`;
}
