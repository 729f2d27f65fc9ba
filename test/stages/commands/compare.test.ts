import { describe, expect, it } from 'vitest';
import { compareCommands, parseMargin } from '../../../src/stages/commands/compare.ts';

describe('--margin', () => {
  it('is a decimal number or a percentage', () => {
    for (const [text, margin] of [
      ['0.01', 0.01],
      ['.5', 0.5],
      ['1e-3', 0.001],
      ['1', 1],
      ['1%', '1%'],
    ] as const)
      expect(parseMargin(text, 'auc')).toBe(margin);
    expect(parseMargin('5', 'rmse')).toBe(5);
    for (const bad of ['0x10', '0b1', '', ' ', '0', '0%', '-1', 'nan', 'Infinity', '1e400', '1e-400', '1 %'])
      expect(() => parseMargin(bad, 'rmse'), bad).toThrow(/is not a margin/);
  });

  it('is no larger than what two models can differ by', () => {
    for (const bad of ['5', '1.5', '200%'])
      expect(() => parseMargin(bad, 'auc'), bad).toThrow(/no loss is as large/);
  });
});

it('--alpha lies from 1e-6 to below one half', () => {
  const alpha = compareCommands[0]?.options.shape.alpha;
  const reads = (value: number) =>
    (alpha as unknown as { safeParse(x: unknown): { success: boolean } }).safeParse(value).success;
  expect([0.5, 1e-300, 0].map(reads)).toEqual([false, false, false]);
  expect([0.49, 0.05, 1e-6].map(reads)).toEqual([true, true, true]);
});
