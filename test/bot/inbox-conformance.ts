import { expect, it } from 'vitest';
import type { Inbox, Job, NewJob } from '../../bot/inbox.ts';

export const start = new Date('2026-03-01T12:00:00Z');
export const later = (seconds: number) => new Date(start.getTime() + seconds * 1000);

export function job(n: number, change: Partial<NewJob> = {}): NewJob {
  return {
    ...{ guid: `guid-${n}`, key: `key-${n}`, lane: 'lane', priority: 1, opId: null },
    event: { kind: 'run', installation: 5, owner: 'acme', repo: 'flights', run: n, opId: null },
    ...change,
  };
}

const comment = (n: number): NewJob['event'] => ({
  ...{ kind: 'comment', installation: 5, owner: 'acme', repo: 'flights' },
  comment: {
    ...{ id: n, body: '/status \0 \u{1F680}', author: 'ann', authorType: 'User', viaApp: false, number: 1 },
    ...{ createdAt: '2026-03-01T12:00:00Z', isPullRequest: true },
  },
});

export const claimFrom = (
  inbox: Inbox,
  seconds = 0,
  pausedInstallations: number[] = [],
): Promise<Job | null> => inbox.claim({ now: later(seconds), pausedInstallations });

/** What every inbox does; `open` gives an empty one, or the same again after `close`. */
export function inboxConformance({ open, current }: { open(): Promise<Inbox>; current(): Inbox }): void {
  const claim = (seconds?: number, paused?: number[]) => claimFrom(current(), seconds, paused);
  const claimed = async (seconds?: number) => (await claim(seconds))?.id ?? 0;

  it('keeps a delivery once, by its guid and by what it is about', async () => {
    const inbox = current();
    expect(await inbox.put(job(1), start)).toBe('stored');
    expect(await inbox.put(job(1), start)).toBe('known');
    expect(await inbox.put(job(2, { key: 'key-1' }), start)).toBe('known');
    expect(await inbox.put(job(3, { guid: 'guid-1' }), start)).toBe('known');
    expect([await inbox.has('guid-1'), await inbox.has('guid-2')]).toEqual([true, false]);
    const first = await claim();
    expect(first).toMatchObject({ event: { run: 1 }, attempts: 1, receivedAt: start });
    expect(await claim()).toBeNull();
    await inbox.finish(first?.id ?? 0, { now: start, open: false });
    expect(await inbox.put(job(1), start)).toBe('known');
  });

  it('keeps one of many copies that come at the same time', async () => {
    const puts = Array.from({ length: 8 }, (_, n) => current().put(job(1, { guid: `copy-${n % 3}` }), start));
    expect((await Promise.all(puts)).filter((one) => one === 'stored')).toHaveLength(1);
  });

  it('gives one job of a lane at a time, in order, and those of other lanes beside it', async () => {
    for (const n of [1, 2]) await current().put(job(n), start);
    await current().put(job(3, { lane: 'other' }), start);
    const first = await claim();
    expect(first?.key).toBe('key-1');
    expect((await claim())?.key).toBe('key-3');
    expect(await claim()).toBeNull();
    await current().finish(first?.id ?? 0, { now: start, open: false });
    expect((await claim())?.key).toBe('key-2');
  });

  it('gives what matters more first', async () => {
    await current().put(job(1, { lane: 'a', priority: 2 }), start);
    await current().put(job(2, { lane: 'b', priority: 0 }), start);
    expect([(await claim())?.key, (await claim())?.key]).toEqual(['key-2', 'key-1']);
  });

  it('gives a job again when it is due, and none of an installation that must rest', async () => {
    await current().put(job(1), start);
    await current().retry(await claimed(), { due: later(10), error: 'GitHub answers \0 502.' });
    expect(await claim(9)).toBeNull();
    expect(await claim(10, [4, 5])).toBeNull();
    expect(await claim(10, [4])).toMatchObject({ key: 'key-1', attempts: 2 });
  });

  it('gives what was being worked on to the next one', async () => {
    await current().put(job(1), start);
    await claim();
    await current().close();
    const next = await open();
    expect(await claimFrom(next)).toMatchObject({ key: 'key-1', attempts: 2 });
  });

  it('knows operations whose end is not told, and asks for them ever more rarely', async () => {
    const inbox = current();
    await inbox.put(job(1, { opId: 'abc', event: comment(1) }), start);
    await inbox.finish(await claimed(), { now: start, open: true });
    expect(await inbox.operation('abc')).toMatchObject({ lane: 'lane', event: comment(1) });
    expect(await inbox.operation('none')).toBeNull();
    const counts: number[] = [];
    for (const seconds of [5, 20, 21, 4000, 4600])
      counts.push((await inbox.openOperations(later(seconds))).length);
    expect(counts).toEqual([0, 1, 0, 1, 0]);
    await inbox.closeOperation('abc');
    expect(await inbox.openOperations(later(90_000))).toEqual([]);
  });

  it('counts, tells the age of the oldest, parks, and forgets what has ended', async () => {
    const inbox = current();
    expect(await inbox.oldest()).toBeNull();
    for (const n of [1, 2, 3]) await inbox.put(job(n, { lane: `lane ${n}` }), later(n));
    await inbox.park(await claimed(9), { now: later(9), error: 'boom' });
    await inbox.finish(await claimed(9), { now: later(9), open: false });
    expect(await inbox.oldest()).toEqual(later(3));
    expect(await inbox.counts()).toEqual([
      { state: 'done', kind: 'run', count: 1 },
      { state: 'new', kind: 'run', count: 1 },
      { state: 'parked', kind: 'run', count: 1 },
    ]);
    expect(await inbox.forget(later(9))).toBe(0);
    expect(await inbox.forget(later(100))).toBe(2);
    expect(await inbox.put(job(1), later(100))).toBe('stored');
    expect(await inbox.put(job(2), later(100))).toBe('stored');
  });

  it('remembers notes, and lets one lead', async () => {
    expect(await current().note('mark')).toBeNull();
    for (const value of ['1', '2']) await current().setNote('mark', value);
    expect(await current().note('mark')).toBe('2');
    expect([await current().lead(), await current().lead()]).toEqual([true, true]);
  });
}
