import { visible } from '../visible.ts';
import type { Choices } from './choose.ts';
import { list, scalar } from './yaml-text.ts';

/** Paths of what the configuration names, from the repository's root. */
export interface Paths {
  data: string;
  contract: string;
  sql: string;
  script: string;
  requirements: string;
  evaluation: string;
  gate: string;
}

export interface ConfigRequest {
  model: string;
  source: string;
  paths: Paths;
  choices: Choices;
  grouped: boolean;
  /** Parameters of the training. */
  params: Readonly<Record<string, string | number | boolean>>;
  /** Of the evaluation set; null where it is still to be made. */
  sha256: string | null;
}

/** The day after a date. */
function dayAfter(date: string): string {
  return new Date(Date.parse(date) + 86_400_000).toISOString().slice(0, 10);
}

/** Fewer days are too few to say how days differ. */
const leastClusters = 20;
export const clustersByDay = ({ time }: Choices): boolean =>
  time !== null && time.span.daysAfter >= leastClusters;

/** modelgate.yaml. */
export function configText(request: ConfigRequest): string {
  const { model, source, paths, choices, grouped, params, sha256 } = request;
  const { task, label, key, time, made } = choices;
  const keep = [...(grouped ? [made.group] : []), ...(clustersByDay(choices) ? [made.day] : [])];
  const guess = (guessed: boolean) => (guessed ? ' # a guess: change it if it is another column' : '');
  return [
    `# How ${model} is made and judged. Every key: docs/configuration.md of ModelGate.`,
    'schema: modelgate/1',
    `model: ${scalar(model)}`,
    '',
    'data:',
    '  sources:',
    `    ${scalar(source)}:`,
    `      file: ${scalar(paths.data)}`,
    `      contract: ${scalar(paths.contract)} # what every batch must keep`,
    ...(time === null ? [] : [`      time: ${scalar(time.column)}`]),
    ...(time === null
      ? []
      : [
          '      # Say here what is known later than the row itself; features that use it too early are then refused:',
          `      # known: [{ columns: [COLUMN], at: ${visible(JSON.stringify(`"${time.column}" + INTERVAL 1 DAY`))} }]`,
          '  # Training sees these rows. The newest fifth is kept for the evaluation below; move both windows as data come in.',
          `  window: { from: ${time.span.first}, until: ${time.span.cut} }`,
        ]),
    '',
    'features:',
    `  sql: ${scalar(paths.sql)}`,
    `  key: ${scalar(key ?? made.key)}`,
    ...(time === null
      ? []
      : [`  time: ${scalar(time.column)} # when the question is asked${time.guessed ? '; a guess' : ''}`]),
    `  label: ${scalar(label.column.name)}${guess(label.guessed)}`,
    ...(keep.length === 0 ? [] : [`  keep: ${list(keep)} # carried along, not shown to the model`]),
    '',
    ...(time === null
      ? [
          '# The part `test` is held back: neither training nor validation sees it.',
          `split: { by: hash, ${grouped ? `group: ${scalar(made.group)}, ` : ''}validation: 0.15, test: 0.2 }`,
        ]
      : ['split: { by: time, validation: 0.2 }']),
    '',
    'train:',
    `  script: ${scalar(paths.script)}`,
    `  requirements: ${scalar(paths.requirements)}`,
    `  task: ${task}`,
    `  params: { ${Object.entries(params)
      .map(([name, value]) => `${scalar(name)}: ${scalar(value)}`)
      .join(', ')} }`,
    '  seed: 1',
    '',
    `evaluation: # pinned: who is asked and what is true. \`modelgate pin\` makes the file.`,
    `  id: ${scalar(`${model}-1`)}`,
    `  file: ${scalar(paths.evaluation)}`,
    `  sha256: ${sha256 === null ? `"${'0'.repeat(64)}" # put here what modelgate pin says` : sha256}`,
    ...(time === null ? [] : [`  window: { from: ${time.span.cut}, until: ${dayAfter(time.span.last)} }`]),
    ...(clustersByDay(choices) ? [`  cluster: ${scalar(made.day)} # rows of one day are alike`] : []),
    '',
    `gate: ${scalar(paths.gate)}`,
    'environments: [{ name: staging }, { name: production }]',
    ...(time === null ? [] : ['', `monitoring: { time: ${scalar(time.column)} }`]),
    '',
  ].join('\n');
}

/** The gate's policy. */
export function gateText({
  choices,
  slices,
  repeated,
}: {
  choices: Choices;
  /** Columns of few values, whose parts may not be harmed. */
  slices: readonly string[];
  /** Whether rows repeat one another, so that near ones say nothing. */
  repeated: boolean;
}): string {
  const { task, label } = choices;
  const sd = label.column.sd;
  const metrics =
    task === 'classification'
      ? [
          'metrics: # how much worse than the model in production a candidate may be',
          '  - { metric: auc, role: primary, margin: 0.01 }',
          '  - { metric: log_loss, role: guardrail, margin: 5% }',
          '',
          'floors: # what the first version must reach, too',
          '  - { metric: auc, min: 0.55 } # 0.5 is chance',
        ]
      : [
          'metrics: # how much worse than the model in production a candidate may be',
          '  - { metric: rmse, role: primary, margin: 2% }',
          '  - { metric: mae, role: guardrail, margin: 2% }',
          ...(sd === null
            ? []
            : [
                '',
                'floors: # what the first version must reach, too',
                `  - { metric: rmse, max: ${Number(sd.toPrecision(4))} } # the error of always saying the mean`,
              ]),
        ];
  return [
    '# When a candidate may replace the model in production. Let its owner review every change of this file.',
    'alpha: 0.05 # each blocking metric stops an equal model at most this often; all slices together likewise',
    'power: 0.8',
    'on_inconclusive: approve # a person decides where the data cannot',
    '',
    ...metrics,
    ...(slices.length === 0
      ? []
      : [
          '',
          'slices: # parts of the rows that may not get worse behind a good average',
          `  by: ${list(slices)}`,
        ]),
    ...(task === 'classification'
      ? ['', 'rules:', '  - { id: is-a-probability, expr: prediction >= 0 AND prediction <= 1 }']
      : []),
    ...(repeated ? ['', 'leakage: { near: ignore } # rows repeat one another by nature'] : []),
    '',
    'scans: # known weaknesses of the locked packages; the workflows have them scanned before the gate',
    '  fail_at: critical',
    '  unknown: fail # a finding without a severity is not harmless',
    '  # require: [dependencies] # then nothing passes without a scan, by hand neither',
    '',
    '# Two trainings of one recipe differ by chance; `modelgate noise` measures by how much:',
    '# training_noise: { auc: 0.008 }',
    '',
  ].join('\n');
}

/** modelgate.sample.yaml, for pull requests: the same with fewer rows where there is a time to cut by. */
export function sampleText({ choices: { time } }: Pick<ConfigRequest, 'choices'>): string {
  const from =
    time === null ? null : new Date(Date.parse(time.span.cut) - 30 * 86_400_000).toISOString().slice(0, 10);
  return [
    '# What every pull request trains on, without secrets and without a GPU: the newest month of the training rows.',
    'extends: modelgate.yaml',
    ...(time !== null && from !== null && from > time.span.first
      ? [`data: { window: { from: ${from} } }`]
      : ['# The data are few enough to be taken whole; shorten `data.window` here once they are not.']),
    '',
  ].join('\n');
}
