import { identifier, literal } from '../data/engine.ts';
import { visible } from '../visible.ts';
import type { Choices } from './choose.ts';

export interface SqlRequest {
  source: string;
  file: string;
  choices: Choices;
  /** All columns of the source. */
  columns: readonly string[];
  /** Whether rows that are equal in all they say are to share a group, so that no split parts them. */
  grouped: boolean;
  /** Whether the day is carried along, for the evaluation's clusters. */
  days: boolean;
}

/** The feature SQL: key, time, label, what is carried along, and every column that a model can learn from. */
export function featureSql(request: SqlRequest): string {
  const { source, file, choices, grouped, days } = request;
  const { key, time, label, features, left, made } = choices;
  const needsGroup = grouped || key === null;
  const from = needsGroup ? 'grouped' : identifier(source);
  const selected = [
    key === null ? `${keySql(request)} AS ${identifier(made.key)}` : identifier(key),
    ...(time === null ? [] : [identifier(time.column)]),
    labelSql(label.column.name, label.positive),
    ...(grouped ? [identifier(made.group)] : []),
    ...(days && time !== null
      ? [`CAST(CAST(${identifier(time.column)} AS DATE) AS VARCHAR) AS ${identifier(made.day)}`]
      : []),
    ...features.map(identifier),
  ];
  return [
    `-- One row a prediction, for training and serving alike. Made by modelgate init from ${comment(file)}.`,
    '-- Take out what is not yet known when the question is asked: such a column makes a model that cannot work.',
    ...(key === null
      ? [
          '-- No column names a row: the key is a hash of all of them but the label, and the place among equal rows.',
        ]
      : []),
    ...(left.length === 0 ? [] : ['--', '-- Left out:']),
    ...left.slice(0, 200).map(({ column, why }) => `--   ${comment(column)}: ${comment(why)}`),
    ...(needsGroup
      ? [
          `WITH grouped AS (\n  SELECT *, ${groupSql(request)} AS ${identifier(made.group)}\n  FROM ${identifier(source)}\n)`,
        ]
      : []),
    `SELECT ${selected.join(',\n       ')}`,
    `FROM ${from}`,
    '',
  ].join('\n');
}

function labelSql(name: string, positive: string | number | null): string {
  const column = identifier(name);
  if (positive === null) return column;
  const value = typeof positive === 'number' ? String(positive) : literal(positive);
  return `${column} = ${value} AS ${column}`;
}

/** Equal for rows that are equal in what a model sees; with a made key, in all but the label. */
function groupSql({ choices, columns }: SqlRequest): string {
  const { key, label, features } = choices;
  const of = key === null ? columns.filter((name) => name !== label.column.name) : features;
  const texts = of.map((name) => `coalesce(CAST(${identifier(name)} AS VARCHAR), '')`);
  return `md5(concat_ws(chr(31), ${texts.join(', ')}))`;
}

function keySql({ choices: { made, label } }: SqlRequest): string {
  const group = identifier(made.group);
  return `concat_ws('-', ${group}, row_number() OVER (PARTITION BY ${group} ORDER BY ${identifier(label.column.name)}))`;
}

/** Text of a file or a column within a line of a comment. */
const comment = (text: string): string => visible(text).slice(0, 200);
