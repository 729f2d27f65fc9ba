import type { ColumnType } from '../data/engine.ts';
import { visible } from '../visible.ts';
import type { Choices } from './choose.ts';
import type { Measured, MeasuredColumn } from './measure.ts';
import { inline, list, scalar } from './yaml-text.ts';

/** A contract is read up to 64 KiB: beyond this many bytes its rules are left out, and then columns. */
const mostBytes = 60_000;
/** Fewer rows a value, and the next batch may well hold another one. */
const rowsOfValue = 20;
const mostValues = 20;

export interface ContractRequest {
  source: string;
  /** The data's path, as the header shows it. */
  file: string;
  measured: Measured;
  choices: Choices;
  /** Whether only the beginning of a large file was looked at. */
  sampled: boolean;
}

/** An Open Data Contract Standard contract that the data keep, with room for what next batches may bring. */
export function contractText(request: ContractRequest): string {
  for (const columnText of [whole, typed]) {
    const text = render(request, columnText);
    if (Buffer.byteLength(text) <= mostBytes) return text;
  }
  // thousands of columns: the first ones, and the ones that everything hangs on
  const { choices, measured } = request;
  const needed = [choices.label.column.name, choices.key, choices.time?.column];
  const columns = measured.columns.filter(({ name }, at) => at < 300 || needed.includes(name));
  return render({ ...request, measured: { ...measured, columns } }, typed);
}

type ColumnText = (column: MeasuredColumn, request: ContractRequest) => string[];

function render(request: ContractRequest, columnText: ColumnText): string {
  const { source, file, measured, sampled } = request;
  const rows = request.choices.time?.span.before ?? measured.rows;
  return [
    '# What every batch must keep. Open Data Contract Standard: https://bitol-io.github.io/open-data-contract-standard',
    `# Made by modelgate init from ${sampled ? 'the first' : 'all'} ${measured.rows} rows of ${visible(file)}, with room around what was seen.`,
    '# It is a draft: tighten what you know to be tighter, and loosen what may change.',
    'apiVersion: v3.1.0',
    'kind: DataContract',
    `id: ${scalar(source)}`,
    'version: 1.0.0',
    'status: draft',
    '',
    'schema:',
    `  - name: ${scalar(source)}`,
    '    logicalType: object',
    '    physicalType: table',
    '    quality:',
    '      - metric: rowCount',
    `        mustBeGreaterThan: ${sampled ? 0 : Math.floor(rows / 2)}`,
    '        severity: warning',
    '        description: half of the rows that were there at first',
    '    properties:',
    ...measured.columns
      .filter(({ name }) => name.length <= 128)
      .flatMap((column) => columnText(column, request)),
    '',
    '# The newest row may be so old when the data are checked. Remove the # to turn it on.',
    '# slaProperties:',
    `#   - { property: latency, element: ${visible(scalar(`${source}.${request.choices.time?.column ?? 'COLUMN'}`))}, value: 2, unit: d }`,
    '',
  ].join('\n');
}

const logical: Readonly<Record<ColumnType, string | null>> = {
  boolean: 'boolean',
  integer: 'integer',
  number: 'number',
  string: 'string',
  timestamp: 'timestamp',
  date: 'date',
  other: null,
};

function typed({ name, type, nulls, personal }: MeasuredColumn): string[] {
  const type_ = logical[type];
  return [
    `      - name: ${scalar(name)}`,
    ...(type_ === null ? [] : [`        logicalType: ${type_}`]),
    ...(nulls === 0 ? ['        required: true'] : []),
    ...(personal
      ? ['        classification: restricted # looks personal: reports never show its values']
      : []),
  ];
}

function whole(column: MeasuredColumn, request: ContractRequest): string[] {
  const { choices, measured, sampled } = request;
  const lines = typed(column);
  if (column.name === choices.key && !sampled) lines.push('        unique: true');
  if (column.personal) return lines;
  const range = rangeOf(column);
  if (range !== null) lines.push(`        logicalTypeOptions: ${inline(range)}`);
  const rules = [...nullRule(column), ...valueRule(column, measured.rows, sampled)];
  return rules.length === 0 ? lines : [...lines, '        quality:', ...rules];
}

/** What was seen, and half of its width on both sides; nothing below zero where nothing was. */
function rangeOf({
  min,
  max,
  nonfinite,
  distinct,
}: MeasuredColumn): { minimum: number; maximum: number } | null {
  if (min === null || max === null || nonfinite > 0) return null;
  if (distinct <= 2 && min === 0 && max === 1) return { minimum: 0, maximum: 1 };
  const room = (max - min) / 2 || Math.abs(max) || 1;
  const minimum = min >= 0 ? 0 : outward(min - room, -1);
  return { minimum, maximum: outward(max + room, 1) };
}

/** Two digits, rounded away from the middle. */
function outward(value: number, direction: 1 | -1): number {
  if (value === 0) return 0;
  const unit = 10 ** (Math.floor(Math.log10(Math.abs(value))) - 1);
  const steps = value / unit;
  const rounded = direction > 0 ? Math.ceil(steps) : Math.floor(steps);
  return Number((rounded * unit).toPrecision(2));
}

function nullRule({ nulls, null_rate }: MeasuredColumn): string[] {
  const limit = Math.ceil(null_rate * 150 + 2);
  return nulls === 0 || limit >= 100
    ? []
    : [`          - { metric: nullValues, unit: percent, mustBeLessThan: ${limit} }`];
}

function valueRule({ values, distinct, type }: MeasuredColumn, rows: number, sampled: boolean): string[] {
  if (type !== 'string' || distinct < 1 || rows < distinct * rowsOfValue) return [];
  if (values !== null && distinct <= mostValues && values.every(([value]) => value.length <= 100)) {
    const known = list(values.map(([value]) => value).sort());
    const severity = sampled ? ', severity: warning' : '';
    return [
      `          - { metric: invalidValues, arguments: { validValues: ${known} }, mustBe: 0${severity} }`,
    ];
  }
  return [
    `          - { type: custom, engine: modelgate, metric: distinctValues, mustBeBetween: [1, ${2 * distinct}] }`,
  ];
}
