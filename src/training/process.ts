import { type ChildProcess, spawn } from 'node:child_process';

export interface ProcessRequest {
  command: string;
  args: readonly string[];
  cwd: string;
  /** The whole environment of the child: nothing is inherited. */
  env: Record<string, string>;
  signal: AbortSignal;
  /** Milliseconds until the process group is stopped. */
  timeout?: number;
  /** Called with each line of standard output and standard error, control characters taken out. */
  onLine?: (line: string) => void;
  /** Milliseconds between SIGTERM and SIGKILL. */
  grace?: number;
}

export interface ProcessResult {
  /** Exit code; null when a signal ended it. */
  code: number | null;
  killedBy: NodeJS.Signals | null;
  timedOut: boolean;
  /** Standard output and error as they came, at most `outputLimit` bytes: the beginning and the end. */
  output: string;
  /** Seconds of wall time. */
  seconds: number;
}

/** Bytes of output that are kept, half from the beginning and half from the end. */
export const outputLimit = 1_048_576;
const lineLimit = 2_000;

/**
 * Runs a program in a process group of its own and waits for its end; whatever it started is ended with it.
 * An abort or the timeout sends SIGTERM to the group, then SIGKILL. Rejects with the abort's reason, or with
 * the system's error when the program cannot be started.
 */
export async function runProcess(request: ProcessRequest): Promise<ProcessResult> {
  const { signal } = request;
  signal.throwIfAborted();
  const started = performance.now();
  const child = spawn(request.command, request.args, {
    cwd: request.cwd,
    env: request.env,
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: process.platform !== 'win32',
    windowsHide: true,
  });
  const output = new BoundedOutput();
  for (const stream of [child.stdout, child.stderr]) follow(stream, output, request.onLine);

  let timedOut = false;
  let force: NodeJS.Timeout | undefined;
  const stop = () => {
    signalGroup(child, 'SIGTERM');
    force ??= setTimeout(() => signalGroup(child, 'SIGKILL'), request.grace ?? 3_000);
  };
  const timer =
    request.timeout === undefined
      ? undefined
      : setTimeout(() => {
          timedOut = true;
          stop();
        }, request.timeout);
  // A last resort for an exit that passes no abort on: nobody is left behind.
  const atExit = () => signalGroup(child, 'SIGKILL');
  signal.addEventListener('abort', stop, { once: true });
  process.once('exit', atExit);
  try {
    const ended = await new Promise<{ code: number | null; killedBy: NodeJS.Signals | null }>(
      (resolve, reject) => {
        child.once('error', reject);
        // What the program left running keeps its pipes open: end the group first, then `close` follows.
        child.once('exit', () => signalGroup(child, 'SIGKILL'));
        child.once('close', (code, killedBy) => resolve({ code, killedBy }));
      },
    );
    signal.throwIfAborted();
    return { ...ended, timedOut, output: output.text(), seconds: (performance.now() - started) / 1000 };
  } finally {
    clearTimeout(timer);
    clearTimeout(force);
    signal.removeEventListener('abort', stop);
    process.removeListener('exit', atExit);
  }
}

function signalGroup(child: ChildProcess, name: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    if (process.platform === 'win32') child.kill(name);
    else process.kill(-child.pid, name);
  } catch {
    // the group is gone already
  }
}

function follow(stream: NodeJS.ReadableStream, output: BoundedOutput, onLine?: (line: string) => void): void {
  let rest = '';
  const tell = (line: string) => {
    const plain = line.replace(/\p{Cc}/gu, ' ').trimEnd();
    if (plain !== '') onLine?.(plain.slice(0, lineLimit));
  };
  stream.setEncoding('utf8');
  stream.on('data', (chunk: string) => {
    output.add(chunk);
    const lines = (rest + chunk).split(/[\r\n]+/);
    rest = (lines.pop() ?? '').slice(-lineLimit);
    lines.forEach(tell);
  });
  stream.on('end', () => tell(rest));
}

/** Keeps the beginning and the end of a text of any length. */
class BoundedOutput {
  private head = '';
  private tail = '';
  private dropped = 0;

  add(chunk: string): void {
    const room = outputLimit / 2 - this.head.length;
    this.head += chunk.slice(0, Math.max(0, room));
    this.tail += chunk.slice(Math.max(0, room));
    // trimmed at twice the limit, so that a chunk costs its own length and not the whole tail's
    if (this.tail.length > outputLimit) this.trim();
  }

  text(): string {
    this.trim();
    const gap = this.dropped === 0 ? '' : `\n… ${this.dropped} characters left out …\n`;
    return this.head + gap + this.tail;
  }

  private trim(): void {
    const over = this.tail.length - outputLimit / 2;
    if (over <= 0) return;
    this.dropped += over;
    this.tail = this.tail.slice(over);
  }
}
