import { z } from 'zod';
import { UserError } from '../../errors.ts';
import { knownMetrics, leastAlpha, Margin } from '../../gate/policy.ts';
import { marginProblem } from '../../gate/policy-metrics.ts';
import { defineCommand } from '../command.ts';
import { compare } from '../compare.ts';
import { runStage } from '../define.ts';
import { localFile } from './files.ts';

const column = z.string().min(1).max(200);

const compareCommand = defineCommand({
  name: 'compare',
  description:
    'Compares two columns of scores or classes of a file on the same rows: estimate, interval, and what the file can show.',
  positional: ['file'],
  options: z.object({
    file: z
      .string()
      .min(1)
      .describe('A CSV or Parquet file with a label and two columns of scores or predicted classes'),
    label: column.describe('Column with the truth: true/false or 0/1, classes, or a number for regression'),
    champion: column.describe("Column with the production model's scores, or predicted classes"),
    candidate: column.describe("Column with the new model's scores, or predicted classes"),
    metric: z.enum(knownMetrics).describe('What is compared'),
    threshold: z.coerce
      .number()
      .min(0)
      .max(1)
      .default(0.5)
      .describe('Score from which a row counts as positive'),
    k: z.coerce
      .number()
      .int()
      .min(1)
      .max(10_000)
      .default(10)
      .describe('Places of a ranking that count for ndcg'),
    margin: z.string().default('0.01').describe("Tolerated loss: in the metric's unit, or a percentage: 1%"),
    alpha: z.coerce.number().min(leastAlpha).lt(0.5).default(0.05).describe('Level of each one-sided bound'),
    cluster: column
      .optional()
      .describe('Column whose equal values mark rows that are alike (a day, a customer)'),
    weight: column.optional().describe('Column with row weights'),
    seed: z.coerce.number().int().nonnegative().default(0).describe('Seed, for methods that draw at random'),
  }),
  examples: [
    'modelgate compare scores.csv --label y --champion old --candidate new --metric auc --margin 0.01',
  ],
  async run(options, { context }) {
    return runStage(
      compare,
      {
        ...options,
        file: await localFile(options.file),
        margin: parseMargin(options.margin, options.metric),
        cluster: options.cluster ?? null,
        weight: options.weight ?? null,
      },
      context,
    );
  },
});

/** `0.01` or `1%`. */
export function parseMargin(text: string, metric: string): Margin {
  const decimal = /^(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text);
  const parsed = Margin.safeParse(decimal ? Number(text) : text);
  const problem = parsed.success ? marginProblem(metric, parsed.data) : null;
  if (parsed.success && problem === null) return parsed.data;
  throw new UserError({
    code: 'usage',
    message: `${JSON.stringify(text.slice(0, 50))} is not a margin${problem === null ? '' : `: ${problem}`}.`,
    where: '--margin',
    fix: "Give a number above 0 in the metric's unit, or a percentage of the champion's value, e.g. 0.01 or 1%.",
  });
}

export const compareCommands = [compareCommand];
