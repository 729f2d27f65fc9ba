import type { Code } from '../codes.ts';
import type { Verdict } from '../outcome.ts';
import { withCommas } from '../report/commas.ts';
import type { DriftReport, JointDrift } from './drift-report.ts';
import { pValue } from './format.ts';

export interface Judgement {
  verdict: Verdict;
  reason_code: Code;
  summary: string;
}

/** One verdict for a whole comparison: anything that moved, else anything decidable, else not decidable. */
export function judge(report: DriftReport): Judgement {
  const { columns, drifted, schema_differences: schema } = report;
  const broken = [
    ...schema.missing.map((name) => `${name} is missing`),
    ...schema.changed.map(({ name }) => `${name} changed its type`),
  ];
  const open = columns.filter(({ verdict }) => verdict !== 'drift' && verdict !== 'ok').length;
  const rest = open === 0 ? '' : `; ${open} of ${columns.length} columns could not be decided`;
  const independent = report.assumes_independent_rows ? ' (taking rows as independent)' : '';
  if (drifted.length > 0) {
    const first = columns.find(({ name }) => name === drifted[0]);
    const others = drifted.length === 1 ? '' : ` and ${drifted.length - 1} more`;
    return {
      verdict: 'inconclusive',
      reason_code: 'drift_found',
      summary: `${first?.summary ?? drifted[0]}${others}${rest}${independent}`,
    };
  }
  if (report.joint?.verdict === 'drift') {
    return {
      verdict: 'inconclusive',
      reason_code: 'drift_found',
      summary: `${jointWords(report.joint)}${rest}${independent}`,
    };
  }
  if (broken.length > 0) {
    return {
      verdict: 'inconclusive',
      reason_code: 'schema_differs',
      summary: `${broken.slice(0, 5).join(', ')}${rest}`,
    };
  }
  if (columns.length === open) {
    return {
      verdict: 'inconclusive',
      reason_code: 'not_decidable',
      summary: `Not enough data to decide: ${why(report)}`,
    };
  }
  return {
    verdict: 'pass',
    reason_code: 'no_drift',
    summary: `None of ${columns.length - open} columns moved${rest}${independent}`,
  };
}

/** What the comparison of all columns together says, as a sentence. */
export function jointWords({
  p_block: p,
  rows_reference: before,
  rows_current: now,
  verdict,
}: JointDrift): string {
  const rows = `${withCommas(before)} and ${withCommas(now)} sampled rows, p ${pValue(p)}`;
  if (verdict === 'drift') return `The columns go together in another way than before (${rows})`;
  if (verdict === 'ok') return `The columns go together as before (${rows})`;
  return 'Whether the columns go together as before could not be decided';
}

function why({ reference, current, columns }: DriftReport): string {
  if (columns.length === 0) return 'there is no column to compare';
  if (columns.some(({ verdict }) => verdict === 'not_decidable')) {
    return `${reference.blocks} reference and ${current.blocks} current blocks`;
  }
  return `${reference.rows} reference and ${current.rows} current rows`;
}
