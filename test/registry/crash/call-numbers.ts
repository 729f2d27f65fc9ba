import type { Syscall } from './syscalls.ts';

/** A call that touches the store: number `ordinal` of its kind that does, number `when` as strace counts. */
export interface Call {
  name: string;
  ordinal: number;
  when: number;
  /** It was answered by a fault. */
  injected: boolean;
}

/** The calls of these kinds that touch a folder, or sync one above it. Strace counts by thread and name. */
export function numbered(calls: readonly Syscall[], top: string, kinds: readonly string[]): Call[] {
  const counts = new Map<string, number>();
  const inside = new Map<string, boolean>();
  const touching: Call[] = [];
  for (const { thread, name, args, strings, result, injected } of calls) {
    const when = (counts.get(`${thread} ${name}`) ?? 0) + 1;
    counts.set(`${thread} ${name}`, when);
    const isNamed = name !== 'write' && strings.some((text) => text.toString('utf8').startsWith(top));
    if (name === 'openat' && result !== null && result >= 0) inside.set(String(result), isNamed);
    if (name === 'close') inside.delete(args);
    const isHeld = name === 'fsync' || inside.get(/^\d+/.exec(args)?.[0] ?? '') === true;
    if (!kinds.includes(name) || !(isHeld || isNamed)) continue;
    const ordinal = touching.filter((call) => call.name === name).length + 1;
    touching.push({ name, when, ordinal, injected });
  }
  return touching;
}
