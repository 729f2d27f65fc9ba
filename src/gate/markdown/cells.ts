import type { Markdown } from '../../report/markdown.ts';
import type { Check } from '../check.ts';

/** How much of each folded part is shown; a report that is too long is made again with less. */
export interface Amount {
  slices: number;
  examples: number;
  changes: number;
  findings: number;
}

export const marks = {
  pass: '🟢 pass',
  fail: '🔴 fail',
  inconclusive: '🟡 inconclusive',
  neutral: '⚪ no champion yet',
} as const;
const warned = '🟠 look';

export function markOf(check: Check): Markdown {
  return check.effect === 'warns' && check.verdict !== 'pass' ? warned : marks[check.verdict];
}

/** Formatted numbers hold nothing but digits, signs, brackets and commas: only < must be escaped. */
export const number = (formatted: string): Markdown =>
  formatted.replace('<', '&lt;').replace('[', '\\[').replace(']', '\\]');
