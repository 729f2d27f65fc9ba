import type { RunnerGroupSetup, RunnerSetup } from '../github/repository-setup.ts';
import { inWords } from './workflow-calls.ts';
import type { RunnerRequest, Workflows } from './workflow-text.ts';

/** A runner of one's own that workflows ask for. */
export interface OwnRunner extends RunnerRequest {
  files: string[];
}

/** Labels of the machines that GitHub lends. */
const lent = /^(?:ubuntu|windows|macos)-/i;

/** What the workflows ask for beside GitHub's own machines, each once. */
export function ownRunners(workflows: Workflows): OwnRunner[] {
  const found = new Map<string, OwnRunner>();
  for (const [file, { read }] of workflows) {
    for (const { group, labels } of read?.runners ?? []) {
      if (group === null && labels.every((label) => lent.test(label))) continue;
      const key = JSON.stringify([group, labels.map((label) => label.toLowerCase()).sort()]);
      const one = found.get(key) ?? { group, labels, files: [] };
      if (!one.files.includes(file)) one.files.push(file);
      found.set(key, one);
    }
  }
  return [...found.values()];
}

/** `the labels self-hosted and gpu, of the group trainers`. */
export function requestText({ group, labels }: RunnerRequest): string {
  const named =
    labels.length === 0 ? '' : `the ${labels.length === 1 ? 'label' : 'labels'} ${inWords(labels)}`;
  if (group === null) return named;
  return `${named === '' ? '' : `${named}, `}of the group ${group}`;
}

/** Whether a runner with these labels is one that is asked for. GitHub compares labels in any case. */
export function fits(request: RunnerRequest, labels: RunnerSetup['labels']): boolean {
  const has = new Set(labels.map((label) => label.toLowerCase()));
  return request.labels.every((label) => has.has(label.toLowerCase()));
}

export interface Place {
  owner: string;
  repo: string;
  branch: string;
}

/** Whether a group takes a workflow of the default branch. */
export function admits({ workflows }: RunnerGroupSetup, file: string, place: Place): boolean {
  if (workflows === null) return true;
  const name = entryOf(file, place);
  const short = name.replace('@refs/heads/', '@');
  return workflows.some((one) => [name, short].some((each) => each.toLowerCase() === one.toLowerCase()));
}

/** As a group's list of workflows names one of the default branch. */
export const entryOf = (file: string, { owner, repo, branch }: Place): string =>
  `${owner}/${repo}/.github/workflows/${file}@refs/heads/${branch}`;
