import { describe, expect, it } from 'vitest';
import { missedOf } from '../../bot/deliveries.ts';

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
});
