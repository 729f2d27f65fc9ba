import { describe, expect, it } from 'vitest';
import { noStrace } from '../registry/crash/strace.ts';
import { temporaryFolder } from '../registry/world.ts';
import { traceNames } from './hostile-calls.ts';

const missing = noStrace();

describe.skipIf(missing !== null)(`system calls (${missing ?? 'strace'})`, () => {
  it('hostile names make no process touch a file outside of the store', { timeout: 120_000 }, () => {
    const found = traceNames({ jail: temporaryFolder(), count: 30, seed: 2 });
    expect(found.problems).toEqual([]);
    expect(found.names).toBe(30);
    expect(found.changing).toBeGreaterThan(20);
  });
});
