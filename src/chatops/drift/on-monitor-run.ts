import type { WorkflowRun } from '../../github/port.ts';
import type { ChatopsContext } from '../context.ts';
import { ofDefaultBranch } from '../reports/run.ts';
import { serially } from '../serially.ts';
import { onScheduledRun } from './failures.ts';
import { findingsOf } from './findings.ts';
import { keepAlarm } from './keep-alarm.ts';
import { type MonitorResult, readResults } from './monitor-result.ts';

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
  const results = await readResults(context, run);
  const judged = results.filter((one) => one.verdict !== 'error');
  const failed = results.find((one) => one.verdict === 'error');
  for (const result of judged) await keepResult(context, run, result);
  // it fails on drift too, and then has a result: only a run without one did not do its work
  const conclusion = judged.length > 0 && failed === undefined ? 'success' : run.conclusion;
  await onScheduledRun({ ...run, conclusion }, context, failed ?? null);
  return judged.length > 0 ? 'kept' : 'no_result';
}

export function isMonitor(
  run: WorkflowRun,
  context: Pick<ChatopsContext, 'github' | 'base' | 'policy'>,
): boolean {
  return (
    run.path === `.github/workflows/${context.policy.workflows.monitor}` &&
    ['schedule', 'workflow_dispatch'].includes(run.event) &&
    ofDefaultBranch(run, context)
  );
}

async function keepResult(context: ChatopsContext, run: WorkflowRun, result: MonitorResult): Promise<void> {
  const { model, environment } = result.inputs;
  const known = context.models.get(model)?.config.environments.some(({ name }) => name === environment);
  if (known !== true) {
    context.logger.warn(`run ${run.id} looked at a model or environment that is not configured`);
    return;
  }
  for (const finding of findingsOf(result)) {
    const key = `${context.github.repository.owner}/${context.github.repository.repo} ${finding.fingerprint}`;
    await serially(key, () => keepAlarm(context, { finding, run, result }));
  }
}
