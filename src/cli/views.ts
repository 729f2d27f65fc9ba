import type { SmallestDetectable } from '../monitoring/drift-report.ts';
import { detectable } from '../monitoring/format.ts';
import { differenceLines } from './difference.ts';
import { recordTable, shorten } from './render.ts';

type Outputs = Record<string, unknown>;
type View = (outputs: Outputs) => string[];

const records = (value: unknown): Outputs[] => (Array.isArray(value) ? (value as Outputs[]) : []);
const indent = (lines: readonly string[]) => lines.map((line) => `  ${line}`);
const rows = (value: unknown, columns: readonly string[]) => indent(recordTable(records(value), columns));

/** How a command's outputs are shown on a terminal; the others show their scalars. */
export const views: Record<string, View> = {
  doctor: (outputs) =>
    rows(
      records(outputs.checks).map((one) => ({
        ...one,
        verdict: one.looked === false ? 'not looked' : one.verdict,
      })),
      ['level', 'check', 'verdict', 'detail', 'fix'],
    ),
  init: (outputs) => [
    ...rows(outputs.files, ['action', 'path', 'what']),
    ...rows(outputs.found, ['file', 'note']),
    ...(Array.isArray(outputs.next)
      ? ['  next:', ...outputs.next.map((step) => `  - ${shorten(step)}`)]
      : []),
  ],
  models: (outputs) => [
    ...rows(outputs.models, ['model', 'config']),
    ...rows(outputs.broken, ['config', 'code', 'message']),
  ],
  run: (outputs) => rows(outputs.stages, ['stage', 'verdict', 'cached', 'seconds', 'summary']),
  validate: (outputs) => failedFirst(outputs.checks),
  check: (outputs) => failedFirst(outputs.checks),
  gate: (outputs) =>
    rows(outputs.checks, [
      'id',
      'verdict',
      'champion',
      'candidate',
      'diff',
      'low',
      'high',
      'margin',
      'reason',
    ]),
  compare: (outputs) => {
    const {
      metric,
      method,
      n,
      champion,
      candidate,
      diff,
      bound_low,
      bound_high,
      confidence,
      mde80,
      rows_needed,
    } = outputs;
    return indent([
      `${metric} over ${rowsOf(n)} by ${method}`,
      `champion ${shorten(champion)}  candidate ${shorten(candidate)}  difference ${shorten(diff)} (higher is better)`,
      `one-sided bounds ${shorten(bound_low)} to ${shorten(bound_high)} (level ${shorten(confidence)} each)`,
      `this file cannot see a drop below ${shorten(mde80)}; to decide the margin it takes ${rowsOf(rows_needed)}`,
    ]);
  },
  reproduce: (outputs) => [
    ...rows(outputs.metrics, ['metric', 'original', 'again', 'difference', 'within']),
    ...rows(outputs.differing, ['field', 'original', 'again']),
  ],
  drift: (outputs) =>
    rows(
      records(outputs.columns).map((column) => ({
        ...column,
        would_find: detectable((column.smallest_detectable ?? null) as SmallestDetectable | null),
      })),
      ['name', 'kind', 'verdict', 'effect', 'would_find', 'p_block', 'q_value', 'psi', 'severity'],
    ),
  status: (outputs) =>
    outputs.models === undefined ? indent(statusLines(outputs)) : indent(modelLines(outputs)),
  diff: (outputs) => indent(differenceLines(outputs)),
  history: (outputs) =>
    rows(outputs.entries, ['seq', 'at', 'type', 'environment', 'version', 'generation', 'reason']),
  'registry verify': (outputs) => {
    const { entries, objects, bytes, orphans, missing, bad, anchors, heads } = outputs;
    const gone = Array.isArray(missing) ? missing.map((key) => ({ key, problem: 'missing' })) : [];
    return [
      ...indent([
        `${shorten(entries)} log entries, ${shorten(objects)} objects (${shorten(orphans)} that no log leads to), ${shorten(bytes)} bytes`,
      ]),
      ...rows([...gone, ...records(bad)], ['key', 'problem']),
      ...rows(anchors, ['model', 'seq', 'finding']),
      ...records(heads).map(({ model, seq, sha256 }) => `  anchor to keep: ${model}:${seq}:${sha256}`),
    ];
  },
  'registry reconcile': (outputs) =>
    rows(outputs.serving, ['where', 'environment', 'model', 'version', 'state', 'reason']),
  'registry probe': (outputs) => rows(outputs.checks, ['check', 'verdict', 'observed']),
  monitor: (outputs) => [
    ...rows(outputs.smallest, ['name', 'kind', 'value', 'unit', 'shift']),
    ...rows(outputs.signals, ['signal', 'name', 'verdict', 'summary']),
    ...rows(outputs.alerts, ['title']),
    ...rows(outputs.actions, ['action', 'reason']),
  ],
};

function failedFirst(checks: unknown): string[] {
  const all = records(checks);
  const failed = all.filter((check) => check.verdict !== 'pass');
  return indent([
    ...recordTable(failed, ['verdict', 'column', 'rule', 'observed', 'expected', 'rows']),
    `${all.length - failed.length} of ${all.length} checks passed`,
  ]);
}

/** What runs where, as a person asks it: since when, trained when on what, what changed, what a rollback restores. */
export function statusLines(outputs: Outputs): string[] {
  const lines = records(outputs.environments).flatMap((one) => {
    if (one.version === null) return [`${shorten(one.environment)}: nothing yet`];
    const back =
      one.rollback_to === null
        ? 'nothing: there is no earlier version'
        : `version ${shorten(one.rollback_to)}`;
    return [
      `${shorten(one.environment)}: version ${shorten(one.version)} since ${shorten(one.since)} (generation ${shorten(one.generation)})`,
      `  trained ${shorten(one.trained_at)} on ${dataWords(one.data)}, commit ${shorten(one.commit)}`,
      `  validation ${pairs(one.metrics)}`,
      `  evaluation ${evaluationWords(one.evaluation)}`,
      `  changed ${changeWords(one.changed)}`,
      `  a rollback restores ${back}`,
    ];
  });
  return [...lines, ...drillLines(outputs.last_drill)];
}

/** Whether the way back was tried; nothing where the status does not say. */
function drillLines(drill: unknown): string[] {
  if (drill === undefined) return [];
  if (drill === null) return ['last rollback drill: none'];
  const { environment, from, to, at, seconds } = drill as Outputs;
  const end = seconds === null ? 'it has not returned' : `returned after ${shorten(seconds)} s`;
  return [
    `last rollback drill: ${shorten(environment)} from ${shorten(from)} to ${shorten(to)} at ${shorten(at)}, ${end}`,
  ];
}

/** A line for each environment of every model. */
function modelLines(outputs: Outputs): string[] {
  const lines = records(outputs.models).flatMap(({ model, environments, problem }) => {
    if (problem !== null) return [{ model, environment: (problem as Outputs).message }];
    const each = records(environments).map((one) => ({ model, ...one }));
    return each.length === 0 ? [{ model, environment: 'nothing is deployed' }] : each;
  });
  return recordTable(lines, ['model', 'environment', 'version', 'since', 'generation', 'rollback_to']);
}

/** `1 row`, `2,000 rows` */
const rowsOf = (count: unknown): string => `${shorten(count)} ${count === 1 ? 'row' : 'rows'}`;

function dataWords(data: unknown): string {
  const {
    dataset,
    window,
    rows: count,
  } = (data ?? {}) as { dataset?: unknown; window?: Outputs | null; rows?: unknown };
  const span = window == null ? '' : ` of ${shorten(window.from)} to ${shorten(window.until)}`;
  return `${rowsOf(count)}${span} (dataset ${shorten(dataset)})`;
}

function evaluationWords(evaluation: unknown): string {
  if (evaluation === null) return 'none';
  const { set, metrics } = evaluation as { set?: Outputs | null; metrics?: unknown };
  return `${pairs(metrics)}${set == null ? '' : ` on ${shorten(set.id)}`}`;
}

function pairs(values: unknown): string {
  return Object.entries((values ?? {}) as Outputs)
    .map(([name, value]) => `${name} ${shorten(value)}`)
    .join(', ');
}

function changeWords(changes: unknown): string {
  if (changes === null) return 'nothing: it is the first';
  const told = records(changes).map(
    ({ what, before, after, note }) =>
      `${shorten(what)} ${shorten(before)} → ${shorten(after)}${note === undefined ? '' : ` (${shorten(note)})`}`,
  );
  return told.length === 0 ? 'nothing' : told.join(', ');
}
