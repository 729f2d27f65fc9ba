import { z } from 'zod';
import { identifier, type SqlEngine } from '../data/engine.ts';
import { isPersonal, withholdValues } from './personal.ts';
import type { Scores, SliceColumn } from './scores.ts';

const mostExamples = 20;
const mostSlices = 1000;
/** Kept columns that an example shows. */
const mostColumns = 20;

const counts = {
  rows: z.number(),
  /** Right with the champion and wrong with the candidate; regression: the error grew by more than the margin. */
  lost: z.number(),
  /** The other way round. */
  gained: z.number(),
};

const Example = z.object({
  /** Null when the key is withheld. */
  key: z.string().nullable(),
  change: z.enum(['lost', 'gained']),
  label: z.number().nullable(),
  champion: z.number().nullable(),
  candidate: z.number().nullable(),
  /** Kept columns; withheld ones are not in it. */
  columns: z.record(z.string(), z.string().nullable()),
});
export type Example = z.infer<typeof Example>;

/** On which rows the candidate behaves otherwise than the champion. */
export const Behaviour = z.object({
  task: z.enum(['classification', 'regression']),
  /** Classification: from which prediction on a row counts as positive. */
  threshold: z.number().nullable(),
  /** Regression: by how much a row's error must change to count, in the label's unit. */
  margin: z.number().nullable(),
  ...counts,
  /** Parts of the data with a flip, the greatest net loss first; `value` null: the column is missing there. */
  slices: z.array(z.object({ column: z.string(), value: z.string().nullable(), ...counts })),
  /** Slices with a flip that are not listed. */
  slices_left_out: z.number(),
  examples: z.array(Example),
  /** Columns, `key` and `label` among them, whose values the data contract marks as personal: shown nowhere here. */
  withheld: z.array(z.string()),
});
export type Behaviour = z.infer<typeof Behaviour>;

export interface BehaviourOptions {
  task: Behaviour['task'];
  threshold: number;
  /** Columns to cut the counts by; they must have been read. */
  by: readonly string[];
  /** Names, in any case, of columns whose values are withheld; `key` and `label` for these two. */
  personal: readonly string[];
}

/** What the task is when the evaluation does not say: labels of 0 and 1 alone are classes. */
export function guessTask({ label }: Pick<Scores, 'label'>): Behaviour['task'] {
  return label.every((value) => value === 0 || value === 1) ? 'classification' : 'regression';
}

/** The rows whose behaviour changed, overall, by slice, and the ones that changed most; null without a champion. */
export async function describeBehaviour(
  engine: SqlEngine,
  { view, scores, options }: { view: string; scores: Scores; options: BehaviourOptions },
): Promise<Behaviour | null> {
  const flips = findFlips(scores, options);
  if (flips === null) return null;
  const chosen = chooseExamples(flips);
  return {
    ...countFlips(flips, scores, options),
    ...(await readExamples(engine, { view, chosen, personal: options.personal })),
  };
}

/** How many rows flipped, overall and by slice. */
export function countFlips(
  { codes, margin }: Flips,
  scores: Scores,
  { task, threshold, by, personal }: BehaviourOptions,
): Omit<Behaviour, 'examples' | 'withheld'> {
  const slices = withholdValues(scores, { personal, except: [] })
    .slices.filter(({ column }) => by.includes(column))
    .flatMap((column) => countSlices(codes, column))
    .sort(byNetLoss);
  const count = (code: number) => codes.reduce((sum, one) => sum + (one === code ? 1 : 0), 0);
  return {
    task,
    threshold: task === 'classification' ? threshold : null,
    margin,
    rows: scores.rows,
    lost: count(lost),
    gained: count(gained),
    slices: slices.slice(0, mostSlices),
    slices_left_out: Math.max(0, slices.length - mostSlices),
  };
}

const lost = -1;
const gained = 1;

export interface Flips {
  /** −1 lost, 1 gained, 0 neither; one a row. */
  codes: Int8Array;
  /** How much each row changed, to choose the examples. */
  size: Float64Array;
  margin: number | null;
}

/** A prediction that is not a finite number is wrong. */
export function findFlips(
  scores: Pick<Scores, 'label' | 'candidate' | 'champion'>,
  { task, threshold }: Pick<BehaviourOptions, 'task' | 'threshold'>,
): Flips | null {
  const { label, candidate, champion } = scores;
  if (champion === null) return null;
  const codes = new Int8Array(label.length);
  const size = new Float64Array(label.length);
  const error = (values: Float64Array, row: number) => {
    const distance = Math.abs((values[row] as number) - (label[row] as number));
    return Number.isFinite(distance) ? distance : Number.POSITIVE_INFINITY;
  };
  const margin = task === 'regression' ? typicalError(label, champion) : null;
  for (let row = 0; row < label.length; row++) {
    const before = error(champion, row);
    const after = error(candidate, row);
    if (margin !== null) {
      if (after - before > margin) codes[row] = lost;
      else if (before - after > margin) codes[row] = gained;
    } else {
      const right = (values: Float64Array) =>
        Number.isFinite(values[row]) && (values[row] as number) >= threshold === (label[row] === 1);
      codes[row] = Number(right(candidate)) - Number(right(champion));
    }
    const moved = Math.abs(after - before);
    size[row] = Number.isNaN(moved) ? 0 : moved;
  }
  return { codes, size, margin };
}

/** The champion's mean absolute error: a row counts as changed when its error moved by more than a usual one. */
function typicalError(label: Float64Array, champion: Float64Array): number {
  let sum = 0;
  let count = 0;
  for (let row = 0; row < label.length; row++) {
    const error = Math.abs((champion[row] as number) - (label[row] as number));
    if (!Number.isFinite(error)) continue;
    sum += error;
    count += 1;
  }
  return count === 0 ? 0 : sum / count;
}

type SliceCount = Behaviour['slices'][number];

function countSlices(codes: Int8Array, { column, values, codes: parts }: SliceColumn): SliceCount[] {
  const found: SliceCount[] = values.map((value) => ({ column, value, rows: 0, lost: 0, gained: 0 }));
  for (let row = 0; row < parts.length; row++) {
    const slice = found[parts[row] as number] as SliceCount;
    slice.rows += 1;
    if (codes[row] === lost) slice.lost += 1;
    else if (codes[row] === gained) slice.gained += 1;
  }
  return found.filter((slice) => slice.lost + slice.gained > 0);
}

/** The greatest net loss first; then by the size of the slice, then by name, so that the order repeats. */
function byNetLoss(a: SliceCount, b: SliceCount): number {
  const net = b.lost - b.gained - (a.lost - a.gained);
  if (net !== 0) return net;
  if (a.rows !== b.rows) return a.rows - b.rows;
  const [left, right] = [`${a.column}\0${a.value}`, `${b.column}\0${b.value}`];
  return left < right ? -1 : left > right ? 1 : 0;
}

interface Chosen {
  position: number;
  change: Example['change'];
}

/** Half of the examples lost, half gained, each the ones that moved most; one kind fills what the other leaves. */
export function chooseExamples({ codes, size }: Flips, most = mostExamples): Chosen[] {
  const rowsOf = (code: number) => {
    const rows: number[] = [];
    for (let row = 0; row < codes.length; row++) if (codes[row] === code) rows.push(row);
    const moved = (row: number) => size[row] as number;
    return rows.sort((a, b) => (moved(a) === moved(b) ? a - b : moved(b) > moved(a) ? 1 : -1)).slice(0, most);
  };
  const worse = rowsOf(lost);
  const better = rowsOf(gained);
  const half = Math.ceil(most / 2);
  const takenLost = Math.min(worse.length, Math.max(half, most - better.length));
  return [
    ...worse.slice(0, takenLost).map((position) => ({ position, change: 'lost' as const })),
    ...better.slice(0, most - takenLost).map((position) => ({ position, change: 'gained' as const })),
  ];
}

const numbers = ['label', 'candidate', 'champion'];
const ours = new Set(['key', 'cluster', ...numbers]);

/** Reads the chosen rows; positions count in the order of the key, as `readScores` reads them. */
async function readExamples(
  engine: SqlEngine,
  request: { view: string; chosen: readonly Chosen[]; personal: readonly string[] },
): Promise<Pick<Behaviour, 'examples' | 'withheld'>> {
  const { view, chosen, personal } = request;
  const names = (await engine.describe(`SELECT * FROM ${identifier(view)}`)).map(({ name }) => name);
  const kept = names.filter((name) => !ours.has(name));
  const withheld = ['key', 'label', ...kept].filter((name) => isPersonal(personal, name));
  const shown = kept.filter((name) => !withheld.includes(name)).slice(0, mostColumns);
  // Predictions and the direction of a flip would tell a withheld label: then no row is shown.
  if (chosen.length === 0 || withheld.includes('label')) return { examples: [], withheld };
  // Withheld values are not even read. Columns are numbered: theirs are the data's names.
  const selected = [
    ...(withheld.includes('key') ? [] : ['CAST(key AS VARCHAR) AS key']),
    ...numbers.map((name) => `CAST(${name} AS DOUBLE) AS ${name}`),
    ...shown.map((name, index) => `left(CAST(${identifier(name)} AS VARCHAR), 200) AS kept_${index}`),
  ];
  // counted outside of the data's names
  const position = 'row_number() OVER (ORDER BY key) - 1';
  const positions = chosen.map(({ position }) => position).join(', ');
  const rows = await engine.rows(
    `SELECT ${position} AS position, ${selected.join(', ')} FROM ${identifier(view)} QUALIFY ${position} IN (${positions})`,
  );
  const byPosition = new Map(rows.map((row) => [Number(row.position), row]));
  const text = (value: unknown) => (value === null || value === undefined ? null : String(value));
  const finite = (value: unknown) => (Number.isFinite(Number(value ?? Number.NaN)) ? Number(value) : null);
  const examples = chosen.map(({ position, change }): Example => {
    const row = byPosition.get(position) ?? {};
    return {
      key: withheld.includes('key') ? null : text(row.key),
      change,
      label: finite(row.label),
      champion: finite(row.champion),
      candidate: finite(row.candidate),
      columns: Object.fromEntries(shown.map((name, index) => [name, text(row[`kept_${index}`])])),
    };
  });
  return { examples, withheld };
}
