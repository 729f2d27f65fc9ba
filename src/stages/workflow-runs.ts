/**
 * Address of the page with a workflow's runs since a moment, from the runner's variables; null outside of GitHub
 * Actions, and where they are not of the form that a runner gives them.
 */
export function workflowRunsUrl(
  { GITHUB_SERVER_URL, GITHUB_REPOSITORY }: NodeJS.ProcessEnv,
  { workflow, since }: { workflow: string; since: Date },
): string | null {
  const server = URL.parse(GITHUB_SERVER_URL ?? '');
  if (server === null || !/^https?:$/.test(server.protocol)) return null;
  if (!/^[A-Za-z0-9_.-]{1,100}\/[A-Za-z0-9_.-]{1,100}$/.test(GITHUB_REPOSITORY ?? '')) return null;
  const created = `created:>=${since.toISOString().slice(0, 19)}Z`;
  const path = `${GITHUB_REPOSITORY}/actions/workflows/${encodeURIComponent(workflow)}`;
  return `${server.origin}/${path}?query=${encodeURIComponent(created)}`;
}
