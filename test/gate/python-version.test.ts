import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { normalVersion } from '../../src/gate/scans/python-version.ts';
import fixture from '../fixtures/scans/pep440.json' with { type: 'json' };

const { cases, packaging } = fixture;

describe('[GOV-8] versions of Python packages', () => {
  it(`are one text where Python's packaging ${packaging} takes them for the same`, () => {
    const known = cases as [string, string | null][];
    expect(known.length).toBeGreaterThan(600);
    expect(known.filter(([, canonical]) => canonical === null).length).toBeGreaterThan(20);
    const wrong = known
      .map(([text, canonical]) => [text, normalVersion(text), canonical ?? text.toLowerCase()])
      .filter(([, ours, theirs]) => ours !== theirs);
    expect(wrong).toEqual([]);
  });

  it('is its own normal form, and takes no long time over any text', () => {
    const text = fc.string({ unit: fc.constantFrom(...'0123.!+-_abcrvpostdev'), maxLength: 500 });
    fc.assert(
      fc.property(text, (given) => {
        const once = normalVersion(given);
        expect(normalVersion(once)).toBe(once);
      }),
      { seed: 440, numRuns: 500 },
    );
    expect(normalVersion(`1${'.0'.repeat(250)}x`)).toMatch(/x$/);
  });
});
