import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { identifier } from '../data/engine.ts';
import { Digest } from '../json.ts';
import { buildAlert } from '../monitoring/alert.ts';
import { compareTables } from '../monitoring/compare.ts';
import { dataSignals } from '../monitoring/data-signals.ts';
import { driftPage } from '../monitoring/drift-page.ts';
import { DriftReport } from '../monitoring/drift-report.ts';
import { judge } from '../monitoring/drift-verdict.ts';
import { findingsOf } from '../monitoring/findings.ts';
import { parseImportance } from '../monitoring/importance.ts';
import { MonitoringPolicy } from '../monitoring/policy.ts';
import { loadRunbookFor, runRunbook } from '../monitoring/runbook.ts';
import { bySeverity } from '../monitoring/signal.ts';
import { openPair } from '../monitoring/tables.ts';
import type { Verdict } from '../outcome.ts';
import { text } from '../report/markdown.ts';
import { hashFile } from '../store/store.ts';
import { defineStage } from './define.ts';
import { putDrift } from './drift-files.ts';

const file = z.string().min(1).max(4096);
const importanceLimit = 1_000_000;

/** Compares two tables; the decision is docs/monitoring.md's. */
export const drift = defineStage({
  name: 'drift',
  description:
    'Compares the distributions of two tables: which columns moved, by how much, since when, and which segments carry it.',
  inputs: z.object({
    /** Local Parquet or CSV files. */
    reference: file,
    current: file,
    /** Column of the event time in both tables; null: rows count as independent. */
    time: z.string().min(1).max(128).nullable(),
    block: z.enum(['day', 'week']),
    /** A local JSON file: feature → importance. */
    importance: file.nullable(),
    columns: z.array(z.string().min(1).max(128)).min(1).nullable(),
    seed: z.number().int().nonnegative(),
    /** Thresholds and rules; block, columns and seed above go before its own. */
    policy: MonitoringPolicy.optional(),
  }),
  outputs: DriftReport.extend({
    /** Manifest with drift.json, report.html and issue.md. */
    drift: Digest,
  }),
  cache: false,
  async run(inputs, context) {
    const policy: MonitoringPolicy = {
      ...(inputs.policy ?? MonitoringPolicy.parse({})),
      block: inputs.block,
      seed: inputs.seed,
    };
    const importance =
      inputs.importance === null
        ? null
        : parseImportance(
            (await readFile(inputs.importance, 'utf8')).slice(0, importanceLimit),
            inputs.importance,
          );
    // a second thread saves little time here and costs a third more CPU
    const engine = await context.engine({ threads: 1 });
    try {
      await engine.addFile('reference', inputs.reference);
      await engine.addFile('current', inputs.current);
      const pair = await openPair(engine, {
        reference: identifier('reference'),
        current: identifier('current'),
        time: inputs.time ?? undefined,
        unit: policy.block,
        columns: inputs.columns ?? policy.columns,
        exclude: policy.exclude,
        materialize: [inputs.reference, inputs.current].some((name) => /\.csv(\.gz)?$/i.test(name)),
      });
      const report = await compareTables(engine, pair, {
        policy,
        importance,
        names: { reference: 'reference', current: 'current' },
        signal: context.signal,
      });
      const judged = judge(report);
      const signals = dataSignals(report, { policy, importance, earlier: [] });
      const runbook = await loadRunbookFor('data_drift', policy.runbooks);
      const findings = findingsOf({
        inputs: report,
        predictions: null,
        signals,
        worst: [],
        labels: null,
        wider: [],
      });
      const moved = bySeverity(signals.filter(({ verdict }) => verdict === 'alert' || verdict === 'logged'));
      const decision = signals.length === 0 || runbook === null ? null : runRunbook(runbook, findings);
      const issue = buildAlert({
        cause: 'data_drift',
        subject: null,
        signals: moved,
        report,
        predictions: [],
        runbook: decision,
      });
      const [before, after] = await Promise.all([hashFile(inputs.reference), hashFile(inputs.current)]);
      const digest = await putDrift(context, {
        json: report,
        html: driftPage({
          title: titleOf(report, judged.verdict),
          lead: judged.summary,
          report,
          // a runbook is for what moved: without that, the page says itself what is missing
          runbooks: moved.length === 0 || decision === null ? [] : [decision],
        }),
        issue: moved.length === 0 ? `${text(judged.summary, 400)}\n` : issue.body,
        inputs: {},
        facts: {
          drifted: report.drifted,
          files: { reference: before.sha256, current: after.sha256 },
          rows: { reference: report.reference.rows, current: report.current.rows },
        },
      });
      return { ...judged, outputs: { ...report, drift: digest } };
    } finally {
      await engine.close();
    }
  },
});

function titleOf({ drifted, columns, joint }: DriftReport, verdict: Verdict): string {
  if (drifted.length > 0) return `${drifted.length} of ${columns.length} columns moved`;
  if (joint?.verdict === 'drift') return 'No column moved alone, all of them together did';
  return verdict === 'pass' ? 'Nothing moved' : 'Not decided';
}
