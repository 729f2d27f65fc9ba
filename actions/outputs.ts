import type { ActionName } from './names.ts';

/** Step outputs that every action sets, whatever happens. */
export const commonOutputs: Readonly<Record<string, string>> = {
  verdict: 'pass, fail, inconclusive or error.',
  'reason-code': 'Why, as a code that never changes its meaning.',
  outcome: 'Path of the whole outcome as JSON.',
  cached: '`true` when an earlier result of the same inputs was read back.',
  'trace-id': 'Names this run of the stage in logs and records.',
};

const digest = (what: string) => `Digest of the ${what}.`;
const moved: Readonly<Record<string, string>> = {
  environment: 'The environment that moved.',
  from: 'The version that served before; empty for the first.',
  to: 'The version that serves now.',
  manifest: digest('model package that serves now'),
  generation: "How often the environment has moved: the next move's `expected-generation`.",
  seq: "Number of the log's entry; empty when nothing moved.",
  head: "sha256 of the log's entry: with `seq` the anchor for `registry verify`.",
  seconds: 'How long the move took.',
  'dry-run': '`true` when nothing was to be changed.',
};
const judged: Readonly<Record<string, string>> = {
  gate: digest("gate's decision"),
  report: digest("report's HTML"),
  markdown: digest("report's Markdown"),
};
const head = "sha256 of the log's newest entry.";

/** Step outputs of each action: the scalars of its outcome's `outputs`; a test holds them to the stage's schema. */
export const stageOutputs: Readonly<Record<ActionName, Readonly<Record<string, string>>>> = {
  ingest: { dataset: digest('dataset') },
  validate: {
    validation: digest('validation'),
    quarantine: 'Id of the rejected batch in quarantine; empty when it was accepted.',
  },
  features: { features: digest('feature set'), rows: 'Rows of the feature set.' },
  split: { split: digest('split') },
  train: { model: digest('model package') },
  evaluate: { evaluation: digest('evaluation'), rows: 'Rows that were scored.' },
  gate: {
    ...judged,
    'on-inconclusive': 'What the policy says of an undecided gate: block, approve or pass.',
  },
  register: {
    version: 'Number of the version.',
    model: digest('model package'),
    'gate-verdict': "The gate's verdict, kept with the version.",
    seq: "Number of the log's entry.",
    head,
  },
  promote: moved,
  rollback: moved,
  monitor: {
    version: 'The version that was looked at.',
    rows: 'Predictions in the window.',
    drift: digest('drift report'),
  },
  run: {
    version: 'Number of the version that was registered; empty when the gate stopped it.',
    dataset: digest('dataset'),
    validation: digest('validation'),
    features: digest('feature set'),
    split: digest('split'),
    model: digest('model package'),
    evaluation: digest('evaluation'),
    noise: digest('measured noise of retraining, where the policy asks for it'),
    ...judged,
    head,
  },
  status: {
    model: 'The model.',
    versions: 'How many versions are registered.',
    seq: "Number of the log's newest entry.",
    head,
  },
  verify: {
    answer: 'sound, damaged, unanchored, rolled_back, forked or unreachable.',
    entries: 'Log entries that were read.',
    objects: 'Objects that the log leads to.',
    bytes: 'Their bytes.',
    orphans: 'Objects that nothing leads to.',
    reason: 'Why, in a sentence; empty where the registry is sound.',
  },
  reconcile: {},
};
