import type { WorkflowRun } from '../../github/port.ts';
import type { ChatopsContext } from '../context.ts';
import { namesDefaultBranch, ofDefaultBranch } from '../reports/run.ts';
import { serially } from '../serially.ts';
import { onScheduledRun } from './failures.ts';
import { findingsOf } from './findings.ts';
import { keepAlarm } from './keep-alarm.ts';
import { type MonitorFailure, type MonitorResult, readResults } from './monitor-result.ts';

/** How a run of the monitor was taken; the log and tests read it. */
export type Monitored = 'not_ours' | 'not_completed' | 'no_result' | 'kept';

/**
 * Keeps the issues that a run of the monitor asks for: one for each model, environment and cause. What it found is
 * read from its artifacts, and only where the workflow was the default branch's own. Handled again, it changes
 * nothing. Throws GitHubUnavailable, for whoever runs the jobs to try again.
 */
export async function onMonitorRun(
  { id }: Pick<WorkflowRun, 'id'>,
  context: ChatopsContext,
): Promise<Monitored> {
  const run = await context.github.run(id);
  if (run === null || !isMonitor(run, context)) return 'not_ours';
  if (run.status !== 'completed') return 'not_completed';
  if (!(await ofDefaultBranch(run, context))) return 'not_ours';
  const results = await readResults(context, run);
  const judged = results.filter((one) => one.verdict !== 'error');
  const strange = judged.find((one) => !isConfigured(one, context));
  const failed =
    results.find((one) => one.verdict === 'error') ?? (strange === undefined ? null : unheard(strange));
  if (strange !== undefined)
    context.logger.warn(`run ${run.id} looked at a model or environment that is not configured`);
  const known = judged.filter((one) => isConfigured(one, context));
  for (const result of known) await keepResult(context, run, result);
  // it fails on drift too, and then has a result: only a run without one did not do its work
  const well = known.length > 0 && failed === null;
  const conclusion = well ? 'success' : failed === null ? run.conclusion : 'failure';
  await onScheduledRun({ ...run, conclusion }, context, failed);
  return known.length > 0 ? 'kept' : 'no_result';
}

/** By what it says of itself: whose results count is told by `ofDefaultBranch`. */
export function isMonitor(
  run: WorkflowRun,
  context: Pick<ChatopsContext, 'github' | 'base' | 'policy'>,
): boolean {
  return (
    run.path === `.github/workflows/${context.policy.workflows.monitor}` &&
    ['schedule', 'workflow_dispatch'].includes(run.event) &&
    namesDefaultBranch(run, context)
  );
}

async function keepResult(context: ChatopsContext, run: WorkflowRun, result: MonitorResult): Promise<void> {
  for (const finding of findingsOf(result)) {
    const key = `${context.github.repository.owner}/${context.github.repository.repo} ${finding.fingerprint}`;
    await serially(key, () => keepAlarm(context, { finding, run, result }));
  }
}

function isConfigured({ inputs }: MonitorResult, { models }: ChatopsContext): boolean {
  const environments = models.get(inputs.model)?.config.environments ?? [];
  return environments.some(({ name }) => name === inputs.environment);
}

/** What was found of a model that we do not know cannot be told in its issues, and must not pass for a quiet check. */
function unheard({ schema, stage, inputs }: MonitorResult): MonitorFailure {
  return {
    ...{ schema, stage, verdict: 'error', failure_class: 'unknown', reason_code: 'unknown_model' },
    summary: `It looked at ${inputs.model} in ${inputs.environment}, which is not configured here: what it found is told nowhere.`,
    error: {
      message: 'The model or its environment is not known.',
      fix: "List the model's modelgate.yaml in MODELGATE_CONFIG_FILES of the bot, with this environment, or take it out of the monitor.",
    },
  };
}
