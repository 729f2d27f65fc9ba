import { describe, expect, it } from 'vitest';
import type { LogEntry } from '../../src/registry/entries.ts';
import { interventionsByMonth, recentInterventions } from '../../src/registry/interventions.ts';

let seq = 0;
function entry(at: string, change: object = {}): LogEntry {
  seq += 1;
  return {
    ...{ schema: 'modelgate.log/1', seq, prev: null, op_id: `op-${seq}`, at: `${at}T12:00:00.000Z` },
    ...{ type: 'promote', environment: 'production', generation: 1, version: 1, from: null },
    ...{ manifest: 'a'.repeat(64), actor: { name: 'ann', via: 'cli' }, ...change },
  } as LogEntry;
}
const now = new Date('2026-03-15T00:00:00Z');

describe('[MET-2] interventions by hand', () => {
  it('are counted a month with their class, and what machines moved is not', () => {
    const entries = [
      entry('2025-12-31'),
      entry('2026-01-01', { actor: { name: 'ann', via: 'bot' } }),
      entry('2026-02-28', { type: 'rollback' }),
      entry('2026-03-01', { override: { by: 'ann', reason: 'known' } }),
      entry('2026-03-02', { actor: { name: 'max', via: 'action' }, op_id: 'f'.repeat(64) }),
      entry('2026-03-03', { actor: { name: 'max', via: 'action' }, op_id: 'release-77' }),
      entry('2026-03-04', { actor: { name: 'canary', via: 'service' }, type: 'rollback' }),
      entry('2026-03-05', { actor: { name: 'modelgate[bot]', via: 'action' } }),
      entry('2026-03-06', { type: 'lock', owner: 'ann', until: null }),
    ];
    expect(interventionsByMonth(entries, now)).toEqual([
      { month: '2026-03', count: 2, classes: { promotion: 1, override: 1, rollback: 0 } },
      { month: '2026-02', count: 1, classes: { promotion: 0, override: 0, rollback: 1 } },
      { month: '2026-01', count: 1, classes: { promotion: 1, override: 0, rollback: 0 } },
    ]);
  });

  it('are read from the newest pages alone', async () => {
    const all = Array.from({ length: 1000 }, (_, index) => entry(index < 900 ? '2025-01-01' : '2026-03-01'));
    let read = 0;
    const registry = {
      entries: async (_: string, { first = 1, last = 1000 } = {}) => {
        read += last - first + 1;
        return all.slice(first - 1, last).map((one) => ({ entry: one, head: '' }));
      },
    };
    const [month] = await recentInterventions(registry, { model: 'm', seq: 1000 }, now);
    expect(month?.count).toBe(100);
    expect(read).toBe(400);
  });
});
