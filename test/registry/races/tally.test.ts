import { describe, expect, it } from 'vitest';
import { emptyTally, judgeCreates, judgeLog } from './tally.ts';

describe('the tally of faulty operations', () => {
  const creates = (ends: Parameters<typeof judgeCreates>[1], there?: string) => {
    const tally = emptyTally();
    judgeCreates(tally, ends, ['a', 'b', 'b'], there);
    return [tally.double, tally.lost, tally.falselyOthers];
  };

  it('tells a second creator, a lost content and a false "lost race"', () => {
    expect(creates(['exists', 'created', 'exists'], 'b')).toEqual([0, 0, 0]);
    expect(creates(['exists', 'created', 'created'], 'b')).toEqual([1, 0, 0]);
    expect(creates(['created', 'exists', 'exists'], 'b')).toEqual([0, 1, 0]);
    expect(creates(['created', 'exists', 'exists'])).toEqual([0, 1, 1]);
    expect(creates(['exists', 'exists', 'exists'], 'b')).toEqual([0, 0, 1]);
    expect(creates(['exists', 'uncertain', 'exists'], 'b')).toEqual([0, 0, 0]);
    expect(creates(['uncertain', 'exists', 'exists'], 'b')).toEqual([0, 0, 1]);
  });

  it('tells an operation that is in the log twice, or not where it was told', () => {
    const placed = (op_id: string, seq: number) =>
      ({ entry: { op_id, seq }, head: '' }) as unknown as Parameters<typeof judgeLog>[2][number];
    const judged = (told: [string, number | null][], log: ReturnType<typeof placed>[]) => {
      const tally = emptyTally();
      judgeLog(tally, new Map(told), log);
      return [tally.double, tally.lost];
    };
    expect(judged([['a', 1]], [placed('a', 1)])).toEqual([0, 0]);
    expect(judged([['a', 1]], [placed('a', 1), placed('a', 2)])).toEqual([1, 0]);
    expect(judged([['a', 2]], [placed('a', 1)])).toEqual([0, 1]);
    expect(judged([['a', 1]], [])).toEqual([0, 1]);
    expect(judged([['a', null]], [])).toEqual([0, 0]);
  });
});
