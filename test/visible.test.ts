import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { errorRecord, UserError } from '../src/errors.ts';
import { check } from '../src/gate/check.ts';
import { visible } from '../src/visible.ts';

describe('what hides in names', () => {
  it('is shown as an escape', () => {
    expect(visible('a\nb\r\tc\u202ed\u200be\u2028f\u0000\u{e0041}')).toBe(
      'a\\nb\\r\\tc\\u202ed\\u200be\\u2028f\\u0000\\u{e0041}',
    );
    expect(visible('Zürich 東京 [−0.1, 0.2] 🟢')).toBe('Zürich 東京 [−0.1, 0.2] 🟢');
  });

  it('never reaches a sentence of a check or an error', () => {
    const hidden = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u;
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (name) => {
        const { title, reason } = check({
          id: 'x',
          kind: 'rule',
          title: name,
          effect: 'blocks',
          verdict: 'fail',
          reason: `worse where carrier is ${name}`,
        });
        const error = errorRecord(new UserError({ code: 'usage', message: name, fix: name, where: name }));
        for (const one of [title, reason, error.message, error.fix, error.where])
          expect(one).not.toMatch(hidden);
      }),
      { seed: 21, numRuns: 300 },
    );
  });
});
