import type { FailureClass } from '../../codes.ts';
import type { WorkflowRun } from '../../github/port.ts';
import { code, link, paragraphs, text } from '../../report/markdown.ts';
import type { ChatopsContext } from '../context.ts';
import { ofDefaultBranch } from '../reports/run.ts';
import { endIncident, raiseIncident } from './incident.ts';
import type { MonitorFailure } from './monitor-result.ts';
import { playbookText } from './playbook-text.ts';
import { schedulesOf } from './schedules.ts';

export const failureLabel = 'modelgate-failure';
const classes: readonly FailureClass[] = ['data', 'infrastructure', 'model', 'unknown'];

const kept = (schedule: string, failure: FailureClass) => ({
  marker: `<!-- modelgate:failure ${schedule}/${failure} -->`,
  label: failureLabel,
});

/**
 * A run of a workflow that is watched (`heartbeats`) has ended. One that failed by schedule gets an issue with its
 * class and that class's playbook; the next that ends well closes it. `failure`: what it said of itself, where it
 * could.
 */
export async function onScheduledRun(
  run: WorkflowRun,
  context: ChatopsContext,
  failure: MonitorFailure | null = null,
): Promise<void> {
  const schedule = schedulesOf(context.policy).find(
    ({ workflow }) => run.path === `.github/workflows/${workflow}`,
  );
  if (schedule === undefined || run.status !== 'completed') return;
  if (!(await ofDefaultBranch(run, context))) return;
  const { github } = context;
  if (run.conclusion === 'success') {
    const note = {
      name: `well ${run.id}`,
      body: `${link(`Run ${run.id}`, run.url)} ended well.`,
    };
    for (const one of classes) await endIncident(github, kept(schedule.name, one), note);
    return;
  }
  const failed = classOf(run, failure);
  if (run.event !== 'schedule' || failed === null || (await newerEndedWell(run, context, schedule.workflow)))
    return;
  const { marker, label } = kept(schedule.name, failed);
  await raiseIncident(github, {
    ...{ marker, label },
    title: `The scheduled run of ${schedule.workflow} fails (${failed})`,
    body: paragraphs(
      marker,
      `${link(`Run ${run.id}`, run.url)} of ${code(schedule.workflow)} ended with ${text(run.conclusion ?? 'nothing', 40)}. Class: **${failed}**.`,
      failure === null ? null : whatItSaid(failure),
      await playbookText(failed, context.policy),
    ),
  });
}

/** Null: nothing failed. What a run cannot say itself is told by how it ended. */
function classOf({ conclusion }: WorkflowRun, failure: MonitorFailure | null): FailureClass | null {
  if (failure !== null) return failure.failure_class;
  if (conclusion === 'failure') return 'unknown';
  return conclusion === 'timed_out' || conclusion === 'startup_failure' ? 'infrastructure' : null;
}

function whatItSaid({ reason_code, summary, error }: MonitorFailure): string {
  const fix = error === undefined ? '' : ` ${text(error.fix, 400)}`;
  return `${code(reason_code)}: ${text(summary, 400)}${fix}`;
}

/** Heard of late, a failure that is over is not told any more. */
async function newerEndedWell(run: WorkflowRun, context: ChatopsContext, workflow: string): Promise<boolean> {
  let seen = 0;
  for await (const one of context.github.runs({ workflow, createdAfter: run.createdAt })) {
    const well = one.id > run.id && one.event !== 'pull_request' && one.conclusion === 'success';
    if (well && (await ofDefaultBranch(one, context))) return true;
    seen += 1;
    if (seen >= 50) break;
  }
  return false;
}
