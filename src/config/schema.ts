import { z } from 'zod';
import { ChatopsPolicy } from '../chatops/policy.ts';
import { AdmissionRules } from '../evaluation/admission-policy.ts';
import { GatePolicy } from '../gate/policy.ts';
import { MonitoringPolicy } from '../monitoring/policy.ts';
import { Name } from '../names.ts';
import { ProvenancePolicy, SignaturePolicy } from '../provenance/policy.ts';
import { stageOrder } from './stage-order.ts';

const path = z.string().min(1).max(500);
const sqlExpression = z.string().min(1).max(2000);
const column = z.string().min(1).max(128);
/** An ISO 8601 date or time; without a zone it is UTC. */
export const Instant = z
  .string()
  .regex(
    /^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2})?)?$/,
    'expected a date or a time, e.g. 2013-01-31',
  );
export type Instant = z.infer<typeof Instant>;
const duration = z.string().regex(/^\d+(s|m|h|d)$/, 'expected a number and s, m, h or d, e.g. 30m');

export const Window = z.strictObject({
  from: Instant.optional().describe('First moment, inclusive.'),
  until: Instant.optional().describe('Last moment, exclusive.'),
});
export type Window = z.infer<typeof Window>;

export const Source = z.strictObject({
  file: path.describe('A Parquet or CSV file, or a pattern with * for several files of the same columns.'),
  contract: path.optional().describe('The Open Data Contract Standard file that every batch must keep.'),
  time: column.optional().describe("The column with the row's event time; windows and freshness go by it."),
  known: z
    .array(
      z.strictObject({
        columns: z.array(column).min(1),
        at: sqlExpression.describe('SQL over the row: when the value can first be known.'),
      }),
    )
    .optional()
    .describe(
      'Columns that are known later than the row itself. Features that use them too early are refused.',
    ),
  known_at: sqlExpression
    .optional()
    .describe(
      'SQL over the row: when the row can first be seen at all. Left out: it is known in advance (a schedule, a list of airports).',
    ),
});
export type Source = z.infer<typeof Source>;

export const Features = z.strictObject({
  sql: path.describe('One SELECT over the sources: one row a prediction.'),
  key: column.describe('Identifies a row, across runs.'),
  time: column.optional().describe('The moment of prediction: nothing known later may be used.'),
  label: column.describe('What is predicted: boolean or 0/1 for classification, a number for regression.'),
  keep: z
    .array(column)
    .default([])
    .describe('Columns that are carried along for slices and reports but not shown to the model.'),
  joins: z
    .array(
      z.strictObject({
        from: z.string().regex(/^[^.]+\.[^.]+$/, 'expected source.column'),
        to: z.string().regex(/^[^.]+\.[^.]+$/, 'expected source.column'),
      }),
    )
    .default([])
    .describe('Joins that the SQL makes; each run says how many rows find no partner.'),
});
export type Features = z.infer<typeof Features>;

export const Split = z.discriminatedUnion('by', [
  z.strictObject({
    by: z.literal('time').describe('The newest part validates.'),
    validation: z.number().positive().lt(1).default(0.2).describe('Share of the time span, from its end.'),
  }),
  z.strictObject({
    by: z.literal('hash').describe('Rows are dealt by a hash of their key, or of a group of rows.'),
    group: column.optional().describe('Rows with the same value stay together.'),
    validation: z.number().positive().lt(1).default(0.2),
    test: z.number().nonnegative().lt(1).default(0),
  }),
]);
export type Split = z.infer<typeof Split>;

export const Training = z.strictObject({
  script: path.describe('A Python script; see docs/training.md for what it is given and must leave.'),
  requirements: path.describe('Pinned requirements with hashes (pip --require-hashes).'),
  task: z.enum(['classification', 'regression']),
  params: z.record(z.string(), z.json()).default({}),
  seed: z.number().int().nonnegative().default(0),
  timeout: duration.default('1h'),
  bootstrap: z
    .number()
    .int()
    .positive()
    .optional()
    .describe(
      'Train on a bootstrap of the rows with this seed: a twin of the recipe, to see what chance does.',
    ),
  admission: AdmissionRules.optional().describe(
    'What a model file may be beyond the default. Every model that is loaded is held to it.',
  ),
  reproduce_tolerance: z
    .number()
    .nonnegative()
    .max(1)
    .optional()
    .describe('Largest relative difference of a metric when the recipe is trained again. Left out: 1e-6.'),
});
export type Training = z.infer<typeof Training>;

export const EvaluationSet = z.strictObject({
  id: Name.describe('Names this version of the set; change it when the file changes.'),
  file: path.describe(
    'Parquet with the key, the label and the columns for slices: who is asked, and what is true.',
  ),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  window: Window.optional().describe(
    'The window of source rows from which the features of these rows are made.',
  ),
  cluster: column
    .optional()
    .describe('Rows with the same value are alike (a day, a customer): errors are clustered by it.'),
  time: column.optional().describe("The column with the row's time, for its age."),
  maximum_age: duration.optional(),
  budget: z.number().int().positive().default(50).describe('Consultations after which the set is worn out.'),
});
export type EvaluationSet = z.infer<typeof EvaluationSet>;

/** What `expected` may name: `run` as a whole, or one of its stages. */
export const TimedStage = z.enum(['run', ...stageOrder]);

export const Environment = z.strictObject({
  name: Name,
  approval: z.boolean().default(false).describe('A person must approve every promotion to it.'),
  approvers: z
    .array(z.string().min(1).max(100))
    .max(100)
    .optional()
    .describe('Who may approve. Left out: anybody but the one who asked.'),
  override: z
    .array(z.string().min(1).max(100))
    .max(100)
    .optional()
    .describe('Who may promote past an undecided gate, with a reason. Left out: nobody.'),
  serving: z
    .array(z.url({ protocol: /^https?$/ }).max(500))
    .max(100)
    .optional()
    .describe('Addresses of its servers (modelgate serve): what `registry reconcile` asks.'),
  signature: SignaturePolicy.optional().describe(
    'Who must have signed what is moved here and served. Left out: nobody.',
  ),
  provenance: ProvenancePolicy.optional().describe(
    'Which GitHub workflow must have made what is moved here and served. Left out: any.',
  ),
});
export type Environment = z.infer<typeof Environment>;

const Keys = z.strictObject({
  schema: z.literal('modelgate/1'),
  extends: path
    .optional()
    .describe('A configuration file that this one changes: mappings are merged, the rest is replaced.'),
  model: Name,
  paths: z
    .array(path)
    .max(100)
    .optional()
    .describe(
      'Files and folders that the model depends on beside its own folder and what is named here, e.g. shared code; * and ** are patterns. `modelgate models --changed-since` goes by them.',
    ),
  as_of: Instant.optional().describe('Take this as the present, for data of the past. Left out: now.'),
  data: z.strictObject({
    sources: z.record(Name, Source),
    window: Window.optional().describe(
      'The rows that training may see, by the time of each source that has one.',
    ),
  }),
  features: Features,
  split: Split,
  train: Training,
  evaluation: EvaluationSet,
  gate: GatePolicy.describe('The policy, or the path of the file that holds it.'),
  environments: z
    .array(Environment)
    .min(1)
    .max(10)
    .describe('In the order in which a version walks through them.')
    .default([
      { name: 'staging', approval: false },
      { name: 'production', approval: false },
    ]),
  monitoring: MonitoringPolicy.optional(),
  expected: z
    .partialRecord(TimedStage, duration)
    .optional()
    .describe(
      'How long `run`, or one of its stages, is expected to take. What takes longer is warned of in the outcome of `run`; its verdict stays.',
    ),
  chatops: ChatopsPolicy.prefault({}).describe(
    'Who may give which command in comments. Read from the default branch alone.',
  ),
  store: z.string().default('.modelgate/store').describe('A folder, or s3://bucket/prefix.'),
});

/** modelgate.yaml. */
export const Config = Keys.superRefine(({ environments, chatops }, context) => {
  // a rule for a name that is not there would hold nobody back
  const names = environments.map(({ name }) => name);
  for (const name of Object.keys(chatops.environments)) {
    if (names.includes(name)) continue;
    context.addIssue({
      code: 'custom',
      path: ['chatops', 'environments', name],
      message: `there is no environment of this name; there are: ${names.join(', ')}`,
    });
  }
});
export type Config = z.infer<typeof Config>;
