import { z } from 'zod';

const pair = z.tuple([z.number(), z.number()]);

/** ODCS's operators; a rule has exactly one. */
export const thresholdKeys = {
  mustBe: z.number().optional(),
  mustNotBe: z.number().optional(),
  mustBeGreaterThan: z.number().optional(),
  mustBeGreaterOrEqualTo: z.number().optional(),
  mustBeLessThan: z.number().optional(),
  mustBeLessOrEqualTo: z.number().optional(),
  mustBeBetween: pair.optional().describe('Both bounds are allowed.'),
  mustNotBeBetween: pair.optional(),
};
const Thresholds = z.object(thresholdKeys);
type Thresholds = z.infer<typeof Thresholds>;

export interface Threshold {
  /** In words, e.g. `at most 5`. */
  text: string;
  holds(value: number): boolean;
}

/** The operators that a rule states, each as a test and in words. */
export function thresholds(rule: Thresholds): Threshold[] {
  const found: Threshold[] = [];
  const add = (text: string, holds: (value: number) => boolean) => found.push({ text, holds });
  const { mustBe, mustNotBe, mustBeBetween, mustNotBeBetween } = rule;
  if (mustBe !== undefined) add(`${mustBe}`, (value) => value === mustBe);
  if (mustNotBe !== undefined) add(`not ${mustNotBe}`, (value) => value !== mustNotBe);
  const above = rule.mustBeGreaterThan;
  if (above !== undefined) add(`more than ${above}`, (value) => value > above);
  const least = rule.mustBeGreaterOrEqualTo;
  if (least !== undefined) add(`at least ${least}`, (value) => value >= least);
  const below = rule.mustBeLessThan;
  if (below !== undefined) add(`less than ${below}`, (value) => value < below);
  const most = rule.mustBeLessOrEqualTo;
  if (most !== undefined) add(`at most ${most}`, (value) => value <= most);
  if (mustBeBetween !== undefined) {
    const [low, high] = mustBeBetween;
    add(`${low} to ${high}`, (value) => value >= low && value <= high);
  }
  if (mustNotBeBetween !== undefined) {
    const [low, high] = mustNotBeBetween;
    add(`outside ${low} to ${high}`, (value) => value < low || value > high);
  }
  return found;
}
