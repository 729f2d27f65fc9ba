import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Inbox, NewJob } from '../../bot/inbox.ts';
import { openSqliteInbox } from '../../bot/sqlite-inbox.ts';

const start = new Date('2026-03-01T12:00:00Z');
const later = (seconds: number) => new Date(start.getTime() + seconds * 1000);

let folder: string;
let file: string;
let inbox: Inbox;
beforeEach(async () => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'modelgate-inbox-'));
  file = path.join(folder, 'bot.sqlite');
  inbox = await openSqliteInbox(file);
});
afterEach(() => {
  inbox.close();
  rmSync(folder, { recursive: true, force: true });
});

function job(n: number, change: Partial<NewJob> = {}): NewJob {
  return {
    ...{ guid: `guid-${n}`, key: `key-${n}`, lane: 'lane', priority: 1, opId: null },
    event: { kind: 'run', installation: 5, owner: 'acme', repo: 'flights', run: n, opId: null },
    ...change,
  };
}
const comment = (n: number): NewJob['event'] => ({
  ...{ kind: 'comment', installation: 5, owner: 'acme', repo: 'flights' },
  comment: {
    ...{ id: n, body: '/status', author: 'ann', authorType: 'User', viaApp: false, number: 1 },
    ...{ createdAt: '2026-03-01T12:00:00Z', isPullRequest: true },
  },
});
const claim = (seconds = 0, pausedInstallations: number[] = []) =>
  inbox.claim({ now: later(seconds), pausedInstallations });

describe('the inbox', () => {
  it('keeps a delivery once, by its guid and by what it is about', () => {
    expect(inbox.put(job(1), start)).toBe('stored');
    expect(inbox.put(job(1), start)).toBe('known');
    expect(inbox.put(job(2, { key: 'key-1' }), start)).toBe('known');
    expect(inbox.put(job(3, { guid: 'guid-1' }), start)).toBe('known');
    expect(inbox.has('guid-1')).toBe(true);
    expect(claim()?.event).toMatchObject({ run: 1 });
    expect(claim()).toBeNull();
    expect(inbox.put(job(1), start)).toBe('known');
  });

  it('gives one job of a lane at a time, in order, and those of other lanes beside it', () => {
    for (const n of [1, 2]) inbox.put(job(n), start);
    inbox.put(job(3, { lane: 'other' }), start);
    const first = claim();
    expect(first?.key).toBe('key-1');
    expect(claim()?.key).toBe('key-3');
    expect(claim()).toBeNull();
    inbox.finish(first?.id ?? 0, { now: start, open: false });
    expect(claim()?.key).toBe('key-2');
  });

  it('gives what matters more first', () => {
    inbox.put(job(1, { lane: 'a', priority: 2 }), start);
    inbox.put(job(2, { lane: 'b', priority: 0 }), start);
    expect([claim()?.key, claim()?.key]).toEqual(['key-2', 'key-1']);
  });

  it('gives a job again when it is due, and none of an installation that must rest', () => {
    inbox.put(job(1), start);
    const first = claim();
    inbox.retry(first?.id ?? 0, { due: later(10), error: 'GitHub answers 502.' });
    expect(claim(9)).toBeNull();
    expect(claim(10, [5])).toBeNull();
    expect(claim(10)).toMatchObject({ key: 'key-1', attempts: 2 });
  });

  it('gives what was being worked on to the next process, and does not let two work on it', async () => {
    inbox.put(job(1), start);
    claim();
    const other = `import { DatabaseSync } from 'node:sqlite';
      new DatabaseSync(${JSON.stringify(file)}, { timeout: 100 }).exec('SELECT * FROM jobs');`;
    const asked = promisify(execFile)(process.execPath, ['--input-type=module', '--eval', other]);
    await expect(asked).rejects.toThrow(/locked/);
    inbox.close();
    inbox = await openSqliteInbox(file);
    expect(claim()).toMatchObject({ key: 'key-1', attempts: 2 });
  });

  it('knows operations whose end is not told, and asks for them ever more rarely', () => {
    inbox.put(job(1, { opId: 'abc', event: comment(1) }), start);
    inbox.finish(claim()?.id ?? 0, { now: start, open: true });
    expect(inbox.operation('abc')).toMatchObject({ lane: 'lane', event: { comment: { id: 1 } } });
    expect(inbox.openOperations(later(5))).toEqual([]);
    expect(inbox.openOperations(later(20))).toHaveLength(1);
    expect(inbox.openOperations(later(21))).toEqual([]);
    expect(inbox.openOperations(later(4000))).toHaveLength(1);
    expect(inbox.openOperations(later(4600))).toEqual([]);
    inbox.closeOperation('abc');
    expect(inbox.openOperations(later(90_000))).toEqual([]);
  });

  it('counts, tells the age of the oldest, parks, and forgets what was done', () => {
    for (const n of [1, 2, 3]) inbox.put(job(n, { lane: `lane ${n}` }), later(n));
    inbox.park(claim(9)?.id ?? 0, { now: later(9), error: 'boom' });
    inbox.finish(claim(9)?.id ?? 0, { now: later(9), open: false });
    expect(inbox.oldest()).toEqual(later(3));
    expect(inbox.counts()).toEqual([
      { state: 'done', kind: 'run', count: 1 },
      { state: 'new', kind: 'run', count: 1 },
      { state: 'parked', kind: 'run', count: 1 },
    ]);
    expect(inbox.forget(later(100))).toBe(1);
    expect(inbox.put(job(1), later(100))).toBe('known');
  });
});
