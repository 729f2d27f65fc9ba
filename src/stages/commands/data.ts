import { access, chmod, copyFile, mkdir } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { Instant } from '../../config/schema.ts';
import { UserError } from '../../errors.ts';
import { knownMetrics, leastAlpha, Margin } from '../../gate/policy.ts';
import { marginProblem } from '../../gate/policy-metrics.ts';
import { check } from '../check.ts';
import { defineCommand } from '../command.ts';
import { compare } from '../compare.ts';
import { runStage } from '../define.ts';
import { drift } from '../drift.ts';
import { leakage } from '../leakage.ts';
import { pin } from '../pin.ts';
import { orStopped, Pipeline } from '../pipeline.ts';
import { profile } from '../profile.ts';
import { localFile } from './files.ts';

const checkCommand = defineCommand({
  name: 'check',
  description: 'Checks a table against an Open Data Contract Standard contract.',
  positional: ['file'],
  options: z.object({
    file: z.string().describe('A Parquet or CSV file'),
    contract: z.string().describe('The contract'),
    as_of: z.string().optional().describe('Take this time as the present for freshness. Left out: now'),
  }),
  examples: ['modelgate check flights.parquet --contract contracts/flights.yaml'],
  async run(options, { context }) {
    const file = await localFile(options.file);
    const contract = await localFile(options.contract);
    return runStage(check, { file, contract, as_of: options.as_of ?? context.now().toISOString() }, context);
  },
});

const profileCommand = defineCommand({
  name: 'profile',
  description: 'The summary of a table: nulls, ranges, distinct values, distributions.',
  positional: ['file'],
  options: z.object({
    file: z.string().describe('A Parquet or CSV file'),
    time: z.string().optional().describe('The column with the event time: one block a day'),
  }),
  examples: ['modelgate profile flights.parquet --time time_hour --json'],
  async run(options, { context }) {
    return runStage(
      profile,
      { file: await localFile(options.file), ...(options.time === undefined ? {} : { time: options.time }) },
      context,
    );
  },
});

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

const leakageCommand = defineCommand({
  name: 'leakage',
  description:
    'Counts rows of the evaluation set that stand in the training set: exactly, nearly, by key, by time.',
  positional: [],
  options: z.object({
    train: z.string().describe('The training rows: Parquet or CSV'),
    evaluation: z.string().describe('The evaluation rows: Parquet or CSV'),
    key: column.optional().describe('The column that identifies a row or a person in both'),
    time: column.optional().describe("The column with the row's time in both"),
  }),
  examples: ['modelgate leakage --train train.parquet --evaluation test.parquet --key id'],
  async run(options, { context }) {
    return runStage(
      leakage,
      {
        train: await localFile(options.train),
        evaluation: await localFile(options.evaluation),
        key: options.key ?? null,
        time: options.time ?? null,
        threshold: 0.9,
        seed: 0,
      },
      context,
    );
  },
});

const driftCommand = defineCommand({
  name: 'drift',
  description:
    'Compares the distributions of two tables: what moved, by how much, and which segments carry it.',
  positional: [],
  options: z.object({
    reference: z.string().describe('The rows that are taken as normal: Parquet or CSV'),
    current: z.string().describe('The rows to judge: Parquet or CSV'),
    time: z.string().optional().describe('The column with the event time: rows of one block are alike'),
    block: z.enum(['day', 'week']).default('day').describe('What is permuted'),
    importance: z.string().optional().describe('A JSON file {column: importance}'),
    columns: z.string().optional().describe('Only these columns, separated by commas'),
    seed: z.number().int().nonnegative().default(0).describe('Seed of the permutations'),
  }),
  examples: [
    'modelgate drift --reference may.parquet --current june.parquet --time event_time',
    'modelgate drift --reference a.csv --current b.csv --json',
  ],
  async run(options, { context }) {
    return runStage(
      drift,
      {
        reference: await localFile(options.reference),
        current: await localFile(options.current),
        time: options.time ?? null,
        block: options.block,
        importance: options.importance === undefined ? null : await localFile(options.importance),
        columns: options.columns === undefined ? null : options.columns.split(',').map((name) => name.trim()),
        seed: options.seed,
      },
      context,
    );
  },
});

const pinCommand = defineCommand({
  name: 'pin',
  description:
    'Makes an evaluation set: keys, labels and slice columns of a window, with the hash to pin it by.',
  positional: ['output'],
  options: z.object({
    output: z.string().describe('The Parquet file to write'),
    from: Instant.optional().describe('First moment of its rows'),
    until: Instant.optional().describe('End of its rows, exclusive'),
    held_out: z
      .boolean()
      .default(false)
      .describe('Only rows that the split holds back from training and validation (its part `test`)'),
    force: z.boolean().default(false).describe('Overwrite the file'),
  }),
  examples: [
    'modelgate pin evaluation/2013-04.parquet --from 2013-04-01 --until 2013-05-01',
    'modelgate pin evaluation/held-out-1.parquet --held-out',
  ],
  async run(options, project) {
    const output = path.resolve(options.output);
    const there = await access(output).then(
      () => true,
      () => false,
    );
    if (there && !options.force) {
      throw new UserError({
        code: 'usage',
        message: 'The file is there already; an evaluation set never changes under its id.',
        where: output,
        fix: 'Choose another file and id, or give --force.',
      });
    }
    const pipeline = await Pipeline.open(project);
    const window = { from: options.from ?? null, until: options.until ?? null };
    const outcome = await orStopped(async () =>
      runStage(pin, { ...(await pipeline.pinInputs(options.held_out)), ...window }, project.context),
    );
    const { sha256 } = outcome.outputs;
    if (typeof sha256 === 'string') {
      await mkdir(path.dirname(output), { recursive: true });
      await copyFile(await project.context.store.localFile(sha256), output);
      await chmod(output, 0o644); // the store's own files are read-only
    }
    return outcome;
  },
});

export const dataCommands = [
  checkCommand,
  profileCommand,
  compareCommand,
  leakageCommand,
  driftCommand,
  pinCommand,
];
