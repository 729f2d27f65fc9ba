import { withCommas } from '../report/commas.ts';
import { code, details, link, type Markdown, paragraphs, table, text } from '../report/markdown.ts';
import { percent, withUnit } from './format.ts';
import { hasChanged, type Upstream } from './upstream.ts';
import type { ContractChange } from './upstream-contracts.ts';
import type { ValidationRecord } from './validation-log.ts';

/** Rows of each table; the check's JSON has the rest. */
const shown = { arrivals: 10, columns: 20, rules: 20, problems: 10, last_day: 20 } as const;

/** What an alert says of the way of the data to the model. */
export function upstreamPart(upstream: Upstream): Markdown {
  return paragraphs(
    '### What changed upstream',
    hasChanged(upstream) ? null : nothingText(upstream),
    arrivalsPart(upstream),
    contractsPart(upstream),
    columnsPart(upstream),
    problemsPart(upstream),
    upstream.notes.length === 0 ? null : upstream.notes.map((note) => `- ${text(note, 300)}`).join('\n'),
    lastDayPart(upstream),
  );
}

function nothingText({ trained_on, newest }: Upstream): Markdown {
  if (newest === null || trained_on === null) return 'Nothing is known to have changed upstream.';
  return 'Nothing known changed upstream: the data that were validated last are those of the training, under the same contracts.';
}

function arrivalsPart({ arrivals }: Upstream): Markdown | null {
  if (arrivals.length === 0) return null;
  return paragraphs(
    `**Snapshots that came since the training**${moreThan(arrivals, shown.arrivals)}`,
    table({
      columns: [
        { title: 'source' },
        { title: 'snapshot' },
        { title: 'validated' },
        { title: 'verdict' },
        { title: 'rows', number: true },
        { title: 'newest row' },
      ],
      rows: arrivals
        .slice(0, shown.arrivals)
        .map(({ source, snapshot, at, verdict, rows, newest }) => [
          text(source, 60),
          code(snapshot.slice(0, 12)),
          text(minute(at)),
          verdict,
          text(typeof rows === 'number' ? withCommas(rows) : '–', 30),
          text(typeof newest === 'string' ? newest : '–', 40),
        ]),
    }),
  );
}

function contractsPart({ contracts }: Upstream): Markdown | null {
  if (contracts.length === 0) return null;
  const rules = contracts.flatMap(({ source, rules }) => rules.map((rule) => ({ source, ...rule })));
  return paragraphs(
    `**Contracts**${moreThan(rules, shown.rules)}`,
    contracts.map((one) => `- ${contractLine(one)}`).join('\n'),
    rules.length === 0
      ? null
      : table({
          columns: [{ title: 'source' }, { title: 'rule' }, { title: 'before' }, { title: 'now' }],
          rows: rules
            .slice(0, shown.rules)
            .map(({ source, rule, before, after }) => [
              text(source, 60),
              text(rule, 100),
              text(before ?? 'none', 120),
              text(after ?? 'none', 120),
            ]),
        }),
  );
}

function contractLine({
  source,
  change,
  version_before,
  version_after,
  rules,
  note,
}: ContractChange): Markdown {
  if (change !== 'changed') return `the contract of ${text(source, 60)} was ${change}`;
  const versions =
    version_before === version_after
      ? `changed within version ${text(version_before ?? 'unknown', 60)}`
      : `went from version ${text(version_before ?? 'unknown', 60)} to ${text(version_after ?? 'unknown', 60)}`;
  const what =
    note === null
      ? rules.length === 0
        ? 'no rule that is checked differs'
        : `${rules.length} ${rules.length === 1 ? 'rule differs' : 'rules differ'}`
      : text(note, 100);
  return `the contract of ${text(source, 60)} ${versions}: ${what}`;
}

function columnsPart({ columns }: Upstream): Markdown | null {
  if (columns.length === 0) return null;
  return paragraphs(
    `**Columns of the newest snapshots against those of the training**${moreThan(columns, shown.columns)}`,
    table({
      columns: [
        { title: 'source' },
        { title: 'column' },
        { title: 'change' },
        { title: 'nulls' },
        { title: 'effect' },
      ],
      rows: columns
        .slice(0, shown.columns)
        .map((one) => [
          text(one.source, 60),
          text(one.name, 60),
          text(changeOf(one), 120),
          text(`${percent(one.null_rate_before)} → ${percent(one.null_rate_after)}`),
          text(one.unit === null ? '–' : withUnit(one.effect, one.unit)),
        ]),
    }),
  );
}

function changeOf({ change, type_before, type_after }: Upstream['columns'][number]): string {
  if (change === 'added' || change === 'removed') return change;
  return type_before === type_after ? 'as before' : `${type_before} → ${type_after}`;
}

function problemsPart({ problems }: Upstream): Markdown | null {
  if (problems.length === 0) return null;
  return paragraphs(
    `**Validations that failed or warned**${moreThan(problems, shown.problems)}`,
    problems
      .slice(0, shown.problems)
      .map(({ at, verdict, dataset, problems: messages }) => {
        const why = messages.slice(0, 2).map((message) => text(message, 200));
        return `- ${text(minute(at))}, ${code(dataset.slice(0, 12))}: **${verdict}**. ${why.join(' ')}`.trim();
      })
      .join('\n'),
  );
}

/** The validation log, where the issue itself shows it. */
function lastDayPart({ last_day }: Upstream): Markdown {
  if (last_day.length === 0) return 'No validation was stored in the last 24 hours.';
  const rows = last_day
    .slice(0, shown.last_day)
    .map(({ at, verdict, dataset, counts, problems }) => [
      text(minute(at)),
      verdict,
      code(dataset.slice(0, 12)),
      `${counts.pass} / ${counts.warn} / ${counts.fail}`,
      problems[0] === undefined ? '' : text(problems[0], 150),
    ]);
  return details(
    `Validations of the last 24 hours${moreThan(last_day, shown.last_day)}`,
    table({
      columns: [
        { title: 'stored' },
        { title: 'verdict' },
        { title: 'dataset' },
        { title: 'pass / warn / fail', number: true },
        { title: 'first broken rule' },
      ],
      rows,
    }),
  );
}

/** The answer to a runbook's `validation_log`: how the validations of the last 24 hours ended. */
export function lastDayAnswer(last_day: readonly ValidationRecord[]): {
  answer: 'yes' | 'no' | 'unknown';
  detail: string;
} {
  if (last_day.length === 0) return { answer: 'unknown', detail: 'none was stored in the last 24 hours' };
  const failed = last_day.filter(({ verdict }) => verdict === 'fail');
  const warned = last_day.filter(({ verdict }) => verdict === 'warn');
  const total = `${last_day.length} ${last_day.length === 1 ? 'validation' : 'validations'} in 24 hours`;
  const warnings = warned.length === 0 ? '' : `, ${warned.length} warned`;
  const [first] = failed[0]?.problems ?? warned[0]?.problems ?? [];
  const told = first === undefined ? '' : `: ${first}`;
  return failed.length === 0
    ? { answer: 'yes', detail: `${total}, none failed${warnings}${told}` }
    : { answer: 'no', detail: `${total}, ${failed.length} failed${warnings}${told}` };
}

/** The workflow runs of the last 24 hours, as a link of a step. */
export const validationLink = (address: string): Markdown => link('validation log of the last 24 h', address);

const minute = (moment: string): string => `${moment.slice(0, 16).replace('T', ' ')} UTC`;

function moreThan(all: readonly unknown[], limit: number): string {
  return all.length > limit ? ` (${limit} of ${all.length})` : '';
}
