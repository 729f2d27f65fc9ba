import type { Syscall } from './syscalls.ts';

/** A call that touches the store: number `ordinal` of its kind that does, number `when` as strace counts. */
export interface Call {
  name: string;
  ordinal: number;
  when: number;
}

/** The calls of these kinds that touch a folder, or sync one above it. Strace counts by thread and name. */
export function numbered(calls: readonly Syscall[], top: string, kinds: readonly string[]): Call[] {
  const counts = new Map<string, number>();
  const inside = new Map<string, boolean>();
  const touching: Call[] = [];
  for (const { thread, name, args, strings, result } of calls) {
    const when = (counts.get(`${thread} ${name}`) ?? 0) + 1;
    counts.set(`${thread} ${name}`, when);
    const isNamed = name !== 'write' && strings.some((text) => text.toString('utf8').startsWith(top));
    if (name === 'openat' && result !== null && result >= 0) inside.set(String(result), isNamed);
    const isHeld = name === 'fsync' || inside.get(/^\d+/.exec(args)?.[0] ?? '') === true;
    if (!kinds.includes(name) || !(isHeld || isNamed)) continue;
    touching.push({ name, when, ordinal: touching.filter((call) => call.name === name).length + 1 });
  }
  return touching;
}

/**
 * A thread also writes to wake the main one, now and then once for two wishes, so that the number of a write shifts; all
 * other calls keep theirs.
 */
export const shifts = (name: string) => (name === 'write' ? [0, -1, 1, -2, 2, -3, 3, -4, 4, 0] : [0]);
