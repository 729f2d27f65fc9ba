import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { matrix } from '../../src/report/svg-matrix.ts';
import { timeline } from '../../src/report/svg-timeline.ts';
import { timeTicks } from '../../src/report/time-ticks.ts';

const at = (text: string) => Date.parse(text);
const evil = '"><script>alert(1)</script>';

describe('moments of an axis', () => {
  it.each([
    ['2026-11-20T01:00Z', '2026-11-20T11:00Z', ['03:00', '06:00', '09:00']],
    ['2026-11-01T00:00Z', '2026-11-04T12:00Z', ['1 Nov', '2 Nov', '3 Nov', '4 Nov']],
    ['2025-11-20T00:00Z', '2026-11-20T00:00Z', ['Jan 2026', 'Apr 2026', 'Jul 2026', 'Oct 2026']],
    ['2012-05-01T00:00Z', '2026-11-20T00:00Z', ['Jan 2015', 'Jan 2020', 'Jan 2025']],
  ])('from %s to %s are round', (low, high, labels) => {
    expect(timeTicks(at(low), at(high), 4).map(({ label }) => label)).toEqual(labels);
  });

  it('lie in the range, in order, and are not too many', () => {
    const moment = fc.integer({ min: at('1990-01-01'), max: at('2060-01-01') });
    fc.assert(
      fc.property(moment, moment, fc.integer({ min: 1, max: 8 }), (one, other, wanted) => {
        const [low, high] = [Math.min(one, other), Math.max(one, other)];
        const ticks = timeTicks(low, high, wanted);
        expect(ticks.length).toBeLessThanOrEqual(wanted + 1);
        ticks.forEach((tick, index) => {
          expect(tick.at).toBeGreaterThanOrEqual(low);
          expect(tick.at).toBeLessThanOrEqual(high);
          if (index > 0) expect(tick.at).toBeGreaterThan(ticks[index - 1]?.at ?? 0);
        });
      }),
      { seed: 5, numRuns: 300 },
    );
    expect(timeTicks(5, 5, 4)).toEqual([]);
    expect(timeTicks(0, Number.NaN, 4)).toEqual([]);
  });
});

describe('timeline and matrix', () => {
  const span = { from: 5, until: 5, label: evil, title: evil, kind: 'now' as const };
  const row = { label: evil, cells: [{ mark: 'alert' as const, title: evil }] };

  it.each([720, 340])('stand alone, escaped, with finite numbers, %i wide', (width) => {
    for (const drawing of [
      timeline({ title: evil, lanes: [{ label: evil, spans: [span] }], from: 5, until: 5, width }),
      timeline({ title: evil, lanes: [], from: 0, until: 0, width }),
      matrix({ title: evil, columns: [{ label: evil }], rows: [row], width }),
      matrix({ title: evil, columns: [], rows: [], width }),
    ]) {
      expect(drawing).toMatch(/^<svg xmlns/);
      expect(drawing).not.toMatch(/<script|NaN|Infinity|undefined/);
    }
  });

  it('show the newest columns where there is no room for all', () => {
    const columns = Array.from({ length: 100 }, (_, index) => ({ label: `day ${index}` }));
    const cells = columns.map(({ label }) => ({ mark: 'quiet' as const, title: `at ${label}.` }));
    const drawing = matrix({ title: 't', columns, rows: [{ label: 'a', cells }], width: 340 });
    expect(drawing).toContain('at day 99.');
    expect(drawing).toContain('>day 90<');
    expect(drawing).not.toContain('at day 89.');
  });
});
