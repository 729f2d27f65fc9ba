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

/** Outputs that are JSON, for `fromJSON`. */
export const jsonOutputs: readonly string[] = ['matrix'];

/** Step outputs of each action: the scalars of its outcome's `outputs`, and `jsonOutputs`; a test holds them to the stage's schema. */
export const stageOutputs: Readonly<Record<ActionName, Readonly<Record<string, string>>>> = {
  models: {
    count: 'How many models were chosen.',
    total: 'How many models the repository has.',
    changed: 'How many paths changed; empty where it was not asked.',
    matrix:
      'For `strategy.matrix`, as JSON: `model`, `config`, `sample` (the configuration of its sample run) and `suffix` (for names of artifacts).',
  },
  ingest: { dataset: digest('dataset') },
  validate: {
    validation: digest('validation'),
    quarantine: 'Id of the rejected batch in quarantine; empty when it was accepted.',
  },
  features: { features: digest('feature set'), rows: 'Rows of the feature set.' },
  split: { split: digest('split') },
  train: { model: digest('model package') },
  scan: {
    model: 'Digest of the model package whose lock was scanned; empty where none was named.',
    dependencies: 'Path of the report on the locked packages.',
    image: 'Path of the report on the image; empty where none was named.',
  },
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
  poll: {
    decision:
      'known, registered (a version was trained on them), committed (their push starts a run), started, unsettled, or planned in a dry run.',
    digest: 'Digest of what the sources hold; empty where all are files of the commit.',
    dataset: digest('dataset that a run would train on'),
    'op-id': "What the run's title carries; empty where no run can be started.",
    run: 'Id of the run on GitHub that trains on the data; empty when there is none.',
    url: 'Its page.',
    version: 'The version that was trained on the data; empty when none was looked for or found.',
    'dry-run': '`true` when nothing was to be started.',
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
    version: 'The version in the environment that `in` names; empty where nothing serves there.',
    generation: "How often that environment has moved: the next move's `expected-generation`.",
    'rollback-to': 'The version that a rollback of it would restore; empty where there is none.',
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
  site: {
    output: 'The folder with the pages.',
    bytes: 'Their bytes.',
  },
};
