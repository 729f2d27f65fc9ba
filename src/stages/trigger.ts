/** What starts the pipeline: a change of code or data, the clock, an alarm of the monitor, or a person. */
export const triggers = ['code', 'data', 'schedule', 'alert', 'manual'] as const;
export type Trigger = (typeof triggers)[number];

const events: Readonly<Record<string, Trigger>> = {
  push: 'code',
  pull_request: 'code',
  merge_group: 'code',
  schedule: 'schedule',
  workflow_dispatch: 'manual',
  // GitLab's names (CI_PIPELINE_SOURCE), where they are others
  merge_request_event: 'code',
  web: 'manual',
};

/**
 * Which trigger started this, for the record: what the workflow says (MODELGATE_TRIGGER), else the event of its run
 * in GitHub Actions or GitLab CI, else a person's command. Another word than ours is a fault in the workflow and counts as not said.
 */
export function triggerOf(env: NodeJS.ProcessEnv): Trigger {
  const { MODELGATE_TRIGGER: said, GITHUB_EVENT_NAME, CI_PIPELINE_SOURCE } = env;
  const event = GITHUB_EVENT_NAME ?? CI_PIPELINE_SOURCE;
  const named = triggers.find((one) => one === said);
  if (named !== undefined) return named;
  return event !== undefined && Object.hasOwn(events, event) ? (events[event] ?? 'manual') : 'manual';
}
