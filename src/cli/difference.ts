import { formatNumber, recordTable, shorten } from './render.ts';

type Outputs = Record<string, unknown>;
const records = (value: unknown): Outputs[] => (Array.isArray(value) ? (value as Outputs[]) : []);

/** Two versions against each other, as tables under headings. */
export function differenceLines(outputs: Outputs): string[] {
  const { before, after } = outputs;
  const heads: [string, string] = [`version ${shorten(before)}`, `version ${shorten(after)}`];
  const lines: string[] = [];
  const section = (title: string, body: readonly string[]) => {
    if (body.length > 0) lines.push(...(lines.length === 0 ? [] : ['']), title, ...body);
  };
  section('Changes', pairTable(records(outputs.changes), ['what'], heads));
  for (const source of records((outputs.data as Outputs | undefined)?.sources)) {
    section(`Data of ${shorten(source.source)}: ${sourceWords(source)}`, columnTable(source, heads));
  }
  const metrics = pairTable(records(outputs.metrics), ['metric'], heads);
  section('Metrics of the gates, on the same rows', metrics);
  if (outputs.metrics_note != null) section('Metrics', [shorten(outputs.metrics_note)]);
  section('Behaviour', behaviourLines(outputs));
  return lines;
}

function pairTable(
  rows: readonly Outputs[],
  names: readonly string[],
  [one, other]: [string, string],
): string[] {
  const shown = rows.map(({ before, after, ...rest }) => ({
    ...rest,
    [one]: value(before),
    [other]: value(after),
  }));
  const extra = ['difference', 'note'].filter((column) => rows.some((row) => row[column] !== undefined));
  // a cell that does not apply is empty, not unknown
  const empty = Object.fromEntries(extra.map((column) => [column, '']));
  return recordTable(
    shown.map((row) => ({ ...empty, ...row })),
    [...names, one, other, ...extra],
  );
}

function sourceWords({ change, rows, note }: Outputs): string {
  const { before, after } = rows as Outputs;
  const counts = `${shorten(before)} → ${shorten(after)} rows`;
  return [change === 'same' ? 'the same snapshot' : counts, ...(note === null ? [] : [shorten(note)])].join(
    '; ',
  );
}

/** Columns that changed or moved, those that moved most first. */
function columnTable({ columns }: Outputs, [one, other]: [string, string]): string[] {
  const told = records(columns).filter(
    ({ change, effect, null_rate_before, null_rate_after }) =>
      change !== 'kept' || (effect as number | null) !== 0 || null_rate_before !== null_rate_after,
  );
  const rank = ({ change, effect }: Outputs) => (change === 'kept' ? Number(effect ?? 0) : Infinity);
  return recordTable(
    told
      .sort((a, b) => (rank(a) === rank(b) ? 0 : rank(b) - rank(a)))
      .map((column) => ({
        column: column.name,
        change: column.change === 'kept' ? '' : column.change,
        [one]: column.type_before,
        [other]: column.type_after,
        'nulls before': percent(column.null_rate_before),
        'nulls after': percent(column.null_rate_after),
        effect: column.effect === null ? null : `${formatNumber(column.effect as number)} ${column.unit}`,
      })),
    ['column', 'change', one, other, 'nulls before', 'nulls after', 'effect'],
  );
}

function percent(rate: unknown): string | null {
  return typeof rate === 'number' ? `${formatNumber(Math.round(rate * 10_000) / 100)} %` : null;
}

function behaviourLines({ behaviour, behaviour_note }: Outputs): string[] {
  if (behaviour == null) return behaviour_note == null ? [] : [shorten(behaviour_note)];
  const { rows, lost, gained, slices } = behaviour as Outputs;
  return [
    `of ${shorten(rows)} rows ${shorten(lost)} got worse and ${shorten(gained)} better`,
    ...recordTable(records(slices).slice(0, 20), ['column', 'value', 'rows', 'lost', 'gained']),
  ];
}

function value(of: unknown): string {
  return Array.isArray(of) ? of.map(shorten).join(', ') : shorten(of);
}
