import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { buildAlert } from '../../src/monitoring/alert.ts';
import { sparkline } from '../../src/monitoring/alert-feature.ts';
import { noStatistics } from '../../src/monitoring/classical.ts';
import { driftPage } from '../../src/monitoring/drift-page.ts';
import { type DriftColumn, DriftReport } from '../../src/monitoring/drift-report.ts';
import { plainSignal, type Signal } from '../../src/monitoring/signal.ts';

function column(name: string, level: string): DriftColumn {
  const segment = {
    dimension: name,
    mean_reference: null,
    mean_current: null,
    of: 'psi' as const,
    total: 0.3,
  };
  return {
    name,
    kind: 'categorical',
    ends: null,
    far_values: null,
    n_reference: 100,
    n_current: 100,
    null_rate_reference: 0,
    null_rate_current: 0.1,
    ...noStatistics,
    psi: 0.3,
    js_distance: 0.1,
    kl: 0.1,
    total_variation: 0.2,
    mean_reference: null,
    mean_current: null,
    unseen: { share: 0, levels: [] },
    aspects: [],
    effect: 20,
    effect_unit: 'points',
    effect_threshold: 1,
    p_block: 0.001,
    q_value: 0.002,
    decidable: true,
    smallest_detectable: null,
    importance: 0.4,
    severity: 8,
    verdict: 'drift',
    rules_broken: [],
    summary: `${name}: 20 points of the rows changed category, most "${level}"`,
    since: '2013-06-02',
    histogram: { edges: null, labels: [level, 'b'], reference: [0.6, 0.4], current: [0.4, 0.6] },
    segments: [
      { ...segment, segment: level, share_reference: 0.6, share_current: 0.4, contribution: 0.1 },
      { ...segment, segment: 'b', share_reference: 0.4, share_current: 0.6, contribution: 0.2 },
    ],
  };
}

function report(one: DriftColumn): DriftReport {
  const side = {
    name: 'served',
    rows: 100,
    rows_without_time: 0,
    blocks: 30,
    from: '2013-06-01',
    until: '2013-06-30',
  };
  return {
    reference: { ...side, name: 'training rows' },
    current: side,
    source: 'rows',
    block: 'day',
    assumes_independent_rows: false,
    alpha: 0.05,
    multiplicity: 'max_t',
    assignments: 2000,
    weekday_matched: true,
    joint: null,
    columns: [one],
    drifted: [one.name],
    left_out: [{ name: one.name, reason: 'excluded', detail: one.summary }],
    schema_differences: { missing: [one.name], unexpected: [one.name], changed: [] },
  };
}

function alertFor(name: string, level: string) {
  const moved = column(name, level);
  const signal: Signal = {
    ...plainSignal,
    signal: 'data_drift',
    name,
    verdict: 'alert',
    summary: moved.summary,
    since: moved.since,
    importance: 0.4,
    rank: 1,
    top: true,
  };
  return buildAlert({
    cause: 'data_drift',
    subject: { model: 'flights-late', environment: 'production', version: 3 },
    signals: [signal],
    report: report(moved),
    predictions: [{ ...signal, signal: 'prediction_drift', summary: level }],
    runbook: {
      runbook: 'drift',
      steps: [{ id: 'schema', title: 'Is the schema intact?', answer: 'no', detail: `${level} is missing` }],
      action: 'retrain',
      reason: 'A moved feature is among the most important.',
      days: null,
    },
  });
}

it('a report from before a statistic was there is still read', () => {
  const { g: _g, hellinger: _h, l_infinity: _l, cramer_von_mises: _c, ...older } = column('x', 'a');
  expect(DriftReport.parse({ ...report(column('x', 'a')), columns: [older] }).columns).toMatchObject([
    { name: 'x', g: null, hellinger: null, l_infinity: null, cramer_von_mises: null },
  ]);
});

describe('the alert', () => {
  it('[ALR-1] says what moved by how much, with both distributions, the segments and since when', () => {
    const { title, body } = alertFor('carrier', 'UA');
    expect(title).toBe(
      'flights-late in production: carrier: 20 points of the rows changed category, most "UA"',
    );
    expect(body).toContain('| UA | 60 % | 40 % |');
    expect(body).toContain('**together** |  | **\\+0.3**');
    expect(body).toContain('2013\\-06\\-02');
    expect(body).toContain('rank 1, among the most important');
  });

  it('[ALR-3] carries the runbook with its answers, the decision and the next commands', () => {
    const { body } = alertFor('carrier', 'UA');
    expect(body).toContain('- [x] Is the schema intact? **no**: UA is missing');
    expect(body).toContain('### Decision: Retrain');
    expect(body).toContain('modelgate status flights-late');
  });

  it('[ALR-2] has one marker for a model, environment and cause, whatever the numbers are', () => {
    expect(alertFor('carrier', 'UA').fingerprint).toBe(alertFor('origin', 'JFK').fingerprint);
    expect(alertFor('carrier', 'UA').body).toMatch(
      /^<!-- modelgate:alert flights-late\/production\/data_drift -->/,
    );
  });

  const hostile = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 60 }),
    fc.constantFrom(
      '<img src=x onerror=alert(1)>',
      '@octocat #1 GH-2',
      '![a](http://x.y/z)',
      '| a | b |\n# h',
      '-->',
      '```\n',
      '&lt;b&gt;',
      '[x](javascript:alert(1))',
    ),
  );

  it('lets no name or value of the data become markup, a link, a mention or an end of the marker', () => {
    fc.assert(
      fc.property(hostile, hostile, (name, level) => {
        const { body, title } = alertFor(name, level);
        const [marker, ...rest] = body.split('\n');
        expect(marker).toBe('<!-- modelgate:alert flights-late/production/data_drift -->');
        const text = rest.join('\n').replaceAll('\u2060', '');
        expect(title).not.toMatch(/[\n\r]/);
        expect(rest.join('\n')).not.toMatch(/@[A-Za-z0-9]|(^|[^\\])!\[|\]\(|<(?!\/?(details|summary)>)/);
        expect(text.match(/^### Decision/gm)).toHaveLength(1);
        expect(text.match(/^### /gm)?.length).toBe(4);
        const html = driftPage({ title, lead: name, report: report(column(name, level)) });
        // its own links lead to its own sections
        const linkless = html.replaceAll(/<a href="#[a-z]+(-\d+)?">/g, '');
        expect(linkless.replaceAll(/"[^"]*"/g, '""')).not.toMatch(/<(script|img|a|iframe)\b|<[^>]*\son\w+=/i);
      }),
      { numRuns: 200 },
    );
  });

  it('draws shares as a line scaled to the largest one', () => {
    expect(sparkline([0, 0.1, 0.4], 0.4)).toBe(' ▃█');
  });
});
