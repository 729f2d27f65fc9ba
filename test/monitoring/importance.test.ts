import { describe, expect, it } from 'vitest';
import { parseImportance, rankOf } from '../../src/monitoring/importance.ts';

describe('importance', () => {
  const importance = parseImportance('{"a": 4, "b": 3, "c": 2, "d": 1, "e": 0, "f": -1}', 'importance.json');

  it('gives shares that add up to one, negative ones as none', () => {
    expect([...importance.values()].reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 12);
    expect(importance.get('a')).toBeCloseTo(0.4, 12);
    expect(importance.get('f')).toBe(0);
  });

  it('puts the first quarter of the features, rounded up, into the top quartile', () => {
    expect(rankOf(importance, 'a', 0.25)).toMatchObject({ rank: 1, of: 6, top: true });
    expect(rankOf(importance, 'b', 0.25)).toMatchObject({ rank: 2, top: true });
    expect(rankOf(importance, 'c', 0.25)).toMatchObject({ rank: 3, top: false });
    expect(rankOf(importance, 'e', 1)).toMatchObject({ top: false });
    expect(rankOf(importance, 'unknown', 0.25)).toBeNull();
    expect(rankOf(null, 'a', 0.25)).toBeNull();
    const two = new Map([
      ['a', 0.5],
      ['b', 0.4],
      ['c', 0.1],
    ]);
    // no feature of forty percent is unimportant because another one has more
    expect(rankOf(two, 'b', 0.25)).toMatchObject({ rank: 2, of: 3, top: true });
    expect(rankOf(two, 'c', 0.25)).toMatchObject({ top: false });
  });

  it.each(['[1, 2]', '{"a": "much"}', 'no json', '{"a": 1', '{"__proto__": 1}'])('refuses %s', (text) => {
    expect(() => parseImportance(text, 'importance.json')).toThrow(
      expect.objectContaining({ code: 'data_unreadable', fix: expect.stringContaining('JSON object') }),
    );
  });
});
