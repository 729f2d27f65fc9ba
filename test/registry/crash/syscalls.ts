/** One system call of a trace, in the order in which they ended. */
export interface Syscall {
  thread: number;
  name: string;
  /** The arguments as strace wrote them, without the strings' content. */
  args: string;
  /** The strings among the arguments, in order: paths and data. */
  strings: Buffer[];
  /** Null when it never returned. */
  result: number | null;
  /** Its result is an injected fault. */
  injected: boolean;
}

const whole = /^(\d+) +(\w+)\((.*)\) += (-?\d+|\?)(.*)$/s;
const unfinished = /^(\d+) +(\w+)\((.*?) ?<unfinished \.\.\.>$/s;
const resumed = /^(\d+) +<\.\.\. (\w+) resumed>(.*)$/s;

/**
 * Parses what `strace -f -xx -o` wrote. A call that was interrupted by another thread's line stands where it ended; one
 * that never ended stands at the end, without a result. Throws on a line that it does not understand.
 */
export function parseTrace(log: string): Syscall[] {
  const calls: Syscall[] = [];
  const begun = new Map<string, { name: string; args: string }>();
  for (const line of log.split('\n')) {
    // signals and ends of threads
    if (line === '' || /^\d+ +(---|\+\+\+)/.test(line)) continue;
    const cut = unfinished.exec(line);
    if (cut !== null) {
      begun.set(cut[1]!, { name: cut[2]!, args: cut[3]! });
      continue;
    }
    const rest = resumed.exec(line);
    if (rest !== null) {
      const start = begun.get(rest[1]!);
      if (start === undefined) throw new Error(`a call resumed that did not begin: ${line.slice(0, 200)}`);
      begun.delete(rest[1]!);
      calls.push(parseCall(`${rest[1]} ${start.name}(${start.args}${rest[3]}`));
      continue;
    }
    calls.push(parseCall(line));
  }
  for (const [thread, { name, args }] of begun) calls.push(parseCall(`${thread} ${name}(${args}) = ?`));
  return calls;
}

function parseCall(line: string): Syscall {
  const found = whole.exec(line);
  if (found === null) throw new Error(`not a line of strace: ${line.slice(0, 200)}`);
  const [, thread = '', name = '', text = '', result = '', after = ''] = found;
  const strings: Buffer[] = [];
  const args = text.replace(
    /"((?:\\x[0-9a-f]{2})*)"(\.\.\.)?/g,
    (_, hex: string, cut: string | undefined) => {
      if (cut !== undefined) throw new Error(`strace cut a string of ${name}`);
      strings.push(Buffer.from(hex.replaceAll('\\x', ''), 'hex'));
      return '""';
    },
  );
  return {
    thread: Number(thread),
    name,
    args,
    strings,
    result: result === '?' ? null : Number(result),
    injected: after.includes('(INJECTED)') || after.includes('(DELAYED)'),
  };
}
