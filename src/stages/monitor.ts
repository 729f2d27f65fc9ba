import path from 'node:path';
import { z } from 'zod';
import type { Code } from '../codes.ts';
import { Instant } from '../config/schema.ts';
import { instant } from '../data/time.ts';
import { UserError } from '../errors.ts';
import { AdmissionRules } from '../evaluation/admission-policy.ts';
import { Digest } from '../json.ts';
import type { CheckFacts } from '../monitoring/check-facts.ts';
import { driftPage } from '../monitoring/drift-page.ts';
import { oncePerVersion } from '../monitoring/once-per-version.ts';
import { type LabelSource, MonitoringPolicy } from '../monitoring/policy.ts';
import { readEvaluation, readReference, readSignature } from '../monitoring/reference.ts';
import { type Response, respond } from '../monitoring/respond.ts';
import { loadRunbooks } from '../monitoring/runbook.ts';
import { Action, Alert, Signal } from '../monitoring/signal.ts';
import { readUpstream, Upstream } from '../monitoring/upstream.ts';
import { type Watched, watch } from '../monitoring/watch.ts';
import { Name } from '../names.ts';
import type { Verdict } from '../outcome.ts';
import { defineStage } from './define.ts';
import { requireDeployed } from './deployed.ts';
import { putDrift } from './drift-files.ts';
import { modelImportance } from './model-importance.ts';

/** Judges what an environment served in a window, carries out the runbook, and writes the alerts. */
export const monitor = defineStage({
  name: 'monitor',
  description:
    'Judges what was served in a window: drift of inputs and predictions, quality by estimate and by late labels, a business metric, requests that probe the model, service; carries out the runbook.',
  inputs: z.object({
    model: Name,
    environment: Name,
    /** Event times: inclusive, exclusive. */
    since: Instant,
    until: Instant,
    policy: MonitoringPolicy,
    /** A local file with labels; its columns are the policy's, or the model's own key and label. */
    labels: z.string().min(1).max(4096).nullable().optional(),
    /** What the project allows of model files: the model is asked for its importance where its package gives none. */
    admission: AdmissionRules.optional(),
    /** Address of the runs that validated in the last 24 hours: the runbook links to it. */
    validation_runs: z
      .url({ protocol: /^https?$/ })
      .max(2000)
      .nullable()
      .optional(),
  }),
  outputs: z.object({
    version: z.number().int(),
    rows: z.number().int(),
    signals: z.array(Signal),
    alerts: z.array(Alert),
    actions: z.array(Action),
    /** Features that drifted, alerting or not, the most severe first. */
    drifted: z.array(z.string()),
    /** What changed before the model's inputs: snapshots, contracts, columns, validations. */
    upstream: Upstream,
    /** Manifest with drift.json, report.html and issue.md. */
    drift: Digest,
  }),
  cache: false,
  async run(inputs, context) {
    const { model, environment, policy } = inputs;
    const [since, until] = [new Date(instant(inputs.since)), new Date(instant(inputs.until))];
    requireWindow(since, until);
    const state = await context.registry.state(model);
    if (state.seq === 0) {
      throw new UserError({
        code: 'model_unknown',
        message: `The registry has no model ${model}.`,
        where: '--model',
        fix: 'Check the name, or register its first version with `modelgate register`.',
      });
    }
    const { version, manifest } = requireDeployed(state, environment);
    const runbooks = await loadRunbooks(policy.runbooks);
    const packaged = await readReference(context.store, manifest);
    const evaluationOf = oncePerVersion(async (served) => {
      const gate = state.versions[served - 1]?.gate;
      return gate === undefined ? null : readEvaluation(context.store, gate);
    });
    const inputsOf = oncePerVersion(async (served) => {
      const known = state.versions[served - 1]?.manifest;
      if (known === undefined) return null;
      const taken = await readSignature(context.store, await context.store.readManifest(known, 'model'));
      return taken.inputs.map(({ name }) => name);
    });
    const evaluation = await evaluationOf(version);
    const engine = await context.engine();
    try {
      const { admission } = inputs;
      const importance = await modelImportance(context, {
        ...{ engine, reference: packaged, admission, seed: policy.seed },
      });
      const reference = { ...packaged, importance };
      const watched = await watch({
        store: context.store,
        engine,
        model,
        environment,
        since,
        until,
        policy,
        reference,
        version,
        evaluationOf,
        inputsOf,
        labels: labelSource(inputs, reference),
        signal: context.signal,
      });
      const upstream = await readUpstream(context.store, {
        ...{ model, manifest, since, now: context.now() },
        drifted: watched.inputs.drifted,
      });
      const response = respond(watched, {
        subject: { model, environment, version },
        policy,
        runbooks,
        until,
        upstream,
        validationRuns: inputs.validation_runs ?? null,
      });
      const judged = judge(watched, response);
      const drift = await putDrift(context, {
        json: { window: { since, until }, model, environment, version, ...watched, ...response, upstream },
        html: driftPage({
          title: response.alerts[0]?.title ?? `${model} in ${environment}: nothing to report`,
          lead: judged.summary,
          report: watched.inputs,
          predictions: watched.predictions,
          runbooks: response.runbooks,
        }),
        issue: response.alerts.map(({ body }) => body).join('\n\n---\n\n'),
        inputs: {
          model: manifest,
          split: reference.split,
          ...(evaluation === null ? {} : { evaluation: evaluation.digest }),
        },
        facts: {
          model,
          environment,
          version,
          since: since.toISOString(),
          until: until.toISOString(),
          drifted: watched.inputs.drifted,
          alerts: response.alerts.map(({ fingerprint }) => fingerprint),
          reason_code: judged.reason_code,
        } satisfies CheckFacts,
      });
      return {
        ...judged,
        outputs: {
          version,
          rows: watched.inputs.current.rows,
          signals: [...watched.signals],
          alerts: response.alerts,
          actions: response.actions,
          drifted: watched.inputs.drifted,
          upstream,
          drift,
        },
      };
    } finally {
      await engine.close();
    }
  },
});

function requireWindow(since: Date, until: Date): void {
  if (since.getTime() < until.getTime()) return;
  throw new UserError({
    code: 'usage',
    message: 'The window is empty: --since is not before --until.',
    where: '--since, --until',
    fix: 'Give the first event time and the end of the window, which is exclusive.',
  });
}

function labelSource(
  { labels, policy }: { labels?: string | null | undefined; policy: MonitoringPolicy },
  { key, label }: { key: string; label: string },
): LabelSource | null {
  const source = labels == null ? policy.labels : { key, label, ...policy.labels, file: labels };
  return source === undefined ? null : { ...source, file: path.resolve(source.file) };
}

const reasons: Record<Alert['cause'], Code> = {
  data_drift: 'drift_found',
  prediction_drift: 'drift_found',
  concept_drift: 'performance_fell',
  silent_failure: 'performance_fell',
  suspicious_inputs: 'inputs_suspicious',
  service: 'service_degraded',
};

function judge(
  { signals, inputs }: Watched,
  { alerts, actions }: Response,
): { verdict: Verdict; reason_code: Code; summary: string } {
  const first = alerts[0];
  if (first !== undefined) {
    const more = alerts.length === 1 ? '' : ` (${alerts.length} alerts)`;
    return { verdict: 'inconclusive', reason_code: reasons[first.cause], summary: `${first.title}${more}` };
  }
  const data = signals.filter(({ signal }) => signal === 'data_drift');
  if (data.every(({ verdict }) => verdict === 'not_enough_data')) {
    return {
      verdict: 'inconclusive',
      reason_code: 'not_decidable',
      summary:
        inputs.columns.length === 0
          ? 'Not enough data: there is no feature to compare.'
          : `Not enough data: ${inputs.current.rows} predictions in ${inputs.current.blocks} blocks.`,
    };
  }
  const logged = data.filter(({ verdict }) => verdict === 'logged');
  if (logged.length > 0) {
    return {
      verdict: 'pass',
      reason_code: 'drift_found',
      summary: `Nothing alerts; logged: ${logged.map(({ name }) => name).join(', ')}${actions[0]?.due ? `, to review on ${actions[0].due}` : ''}.`,
    };
  }
  const open = data.filter(({ verdict }) => verdict === 'not_enough_data').map(({ name }) => name);
  const undecided =
    open.length === 0 ? '' : `; not decided: ${open.slice(0, 10).join(', ')}${open.length > 10 ? ' …' : ''}`;
  return {
    verdict: 'pass',
    reason_code: 'no_drift',
    summary: `None of ${data.length - open.length} features moved${undecided}.`,
  };
}
