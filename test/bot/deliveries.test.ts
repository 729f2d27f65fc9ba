import { describe, expect, it } from 'vitest';
import { fetchMissed, missedOf } from '../../bot/deliveries.ts';
import type { BotLog } from '../../bot/log.ts';

const before = Date.parse('2026-03-01T12:00:00Z');
const one = (id: number, change: object = {}) => ({
  ...{ id, guid: `g${id}`, delivered_at: '2026-03-01T11:00:00Z', status_code: 502, event: 'issue_comment' },
  ...change,
});
const ids = (list: Parameters<typeof missedOf>[0]) => missedOf(list, before).map(({ id }) => id);

describe('deliveries that were missed', () => {
  it('are those of which no try was taken, the oldest first', () => {
    expect(ids([one(3), one(1), one(2, { status_code: 202 })])).toEqual([1, 3]);
    expect(ids([one(1), one(4, { guid: 'g1', status_code: 202 })])).toEqual([]);
  });

  it('are not those on their way, of other events, or that fail for ever', () => {
    expect(ids([one(1, { delivered_at: '2026-03-01T12:00:01Z' })])).toEqual([]);
    expect(ids([one(1, { event: 'star' })])).toEqual([]);
    expect(ids([1, 2, 3, 4, 5].map((id) => one(id, { guid: 'g' })))).toEqual([]);
    expect(ids([1, 2, 3, 4].map((id) => one(id, { guid: 'g' })))).toEqual([1]);
  });

  it('are asked for one by one: one that GitHub refuses hinders no other, and is looked at again', async () => {
    const asked: number[] = [];
    const notes: string[] = [];
    const request = async (route: string, parameters?: { delivery_id?: number }) => {
      if (route.startsWith('GET')) return { data: [one(1), one(2), one(3)], headers: {} };
      if (parameters?.delivery_id === 1) throw new Error('422');
      asked.push(parameters?.delivery_id ?? 0);
      return { data: {}, headers: {} };
    };
    const count = await fetchMissed({
      clients: { app: async () => ({ request }) as never },
      inbox: {
        has: async () => false,
        note: async () => null,
        setNote: async (_, value) => void notes.push(value),
      },
      metrics: { redelivered: () => {}, looked: () => {} },
      log: { info() {}, warn() {}, debug() {}, write() {} } as BotLog,
      now: () => new Date(before),
    });
    expect([count, asked]).toEqual([2, [2, 3]]);
    expect(notes).toEqual([String(Date.parse('2026-03-01T11:00:00Z'))]);
  });
});
