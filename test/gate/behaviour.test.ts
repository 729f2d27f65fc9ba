import { describe, expect, it } from 'vitest';
import { parseContract } from '../../src/data/contract.ts';
import { personalColumns } from '../../src/data/personal.ts';
import { chooseExamples, countFlips, findFlips, guessTask } from '../../src/gate/behaviour.ts';
import { withholdValues } from '../../src/gate/personal.ts';
import { scoresOf } from './world.ts';

const columns = (label: number[], champion: number[], candidate: number[]) => ({
  label: Float64Array.from(label),
  champion: Float64Array.from(champion),
  candidate: Float64Array.from(candidate),
});
const classes = { task: 'classification' as const, threshold: 0.5, by: ['carrier'], personal: [] };
const slices = [
  { column: 'carrier', values: ['AA', 'B6', null], codes: Int32Array.from([0, 0, 1, 1, 2, 2]) },
];

describe('rows that changed', () => {
  // right → wrong, wrong → right, right → wrong at exactly the threshold, both right, both wrong, not a number
  const rows = columns(
    [1, 1, 0, 0, 1, 1],
    [0.9, 0.2, 0.4, 0.1, 0.1, 0.8],
    [0.4, 0.6, 0.5, 0.2, 0.3, Number.NaN],
  );

  it('are counted at the threshold, overall and by slice with the greatest net loss first', () => {
    const flips = findFlips(scoresOf(rows), classes);
    expect([...(flips?.codes ?? [])]).toEqual([-1, 1, -1, 0, 0, -1]);
    const found = countFlips(flips!, scoresOf(rows, { slices }), classes);
    expect(found).toMatchObject({ rows: 6, lost: 3, gained: 1, threshold: 0.5, margin: null });
    expect(found.slices.map(({ value, lost, gained }) => [value, lost, gained])).toEqual([
      ['B6', 1, 0],
      [null, 1, 0],
      ['AA', 1, 1],
    ]);
  });

  it("of a regression are those whose error moved by more than the champion's mean absolute error", () => {
    const prices = columns([10, 20, 30, 40], [12, 18, 30, 44], [15, 20.5, 32.1, 46]);
    const options = { task: 'regression' as const, threshold: 0.5 };
    // errors 2, 2, 0, 4: mean 2; changes +3, −1.5, +2.1, +2
    expect(findFlips(prices, options)).toMatchObject({ margin: 2, codes: Int8Array.from([-1, 0, -1, 0]) });
    expect(guessTask(prices)).toBe('regression');
    expect(guessTask(rows)).toBe('classification');
  });

  it('are none without a champion', () => {
    expect(findFlips({ ...rows, champion: null }, classes)).toBeNull();
  });

  it('give examples of both kinds, those that moved most first', () => {
    const codes = Int8Array.from([-1, -1, -1, 1, 0, 1]);
    const size = Float64Array.from([0.1, 0.3, Number.POSITIVE_INFINITY, 0.5, 9, 0.6]);
    const flips = { codes, size, margin: null };
    const chosen = (most: number) => chooseExamples(flips, most).map(({ position }) => position);
    expect(chosen(4)).toEqual([2, 1, 5, 3]);
    expect(chosen(20)).toEqual([2, 1, 0, 5, 3]);
    expect(chosen(5)).toEqual([2, 1, 0, 5, 3]);
  });
});

describe('columns that a contract marks as personal', () => {
  const contract = (properties: string) =>
    parseContract(
      `apiVersion: v3.1.0\nkind: DataContract\nid: c\nversion: 1.0.0\nstatus: active\nschema:\n  - name: people\n    properties:\n${properties}`,
      'people.yaml',
    );

  it('are found by classification or tag', () => {
    const found = contract(
      [
        '      - { name: id }',
        '      - { name: name, classification: restricted }',
        '      - { name: mail, classification: Confidential }',
        '      - { name: phone, tags: [contact, Personal] }',
        '      - { name: country, classification: public, tags: [geo] }',
      ].join('\n'),
    );
    expect(personalColumns(found)).toEqual(['name', 'mail', 'phone']);
  });

  it('have numbers instead of values in slices, unless the policy itself names them', () => {
    const scores = scoresOf(columns([], [], []), { slices });
    const values = (except: { column: string; value: string | null }[]) =>
      withholdValues(scores, { personal: ['CARRIER'], except }).slices[0]?.values;
    expect(values([])).toEqual(['withheld 1', 'withheld 2', null]);
    expect(values([{ column: 'carrier', value: 'AA' }])).toEqual(['AA', 'withheld 2', null]);
    expect(values([{ column: 'other', value: 'AA' }])).toEqual(['withheld 1', 'withheld 2', null]);
  });
});
