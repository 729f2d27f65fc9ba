import path from 'node:path';
import type { Config } from '../config/schema.ts';
import { smallText } from './survey.ts';
import { callsOf } from './workflow-calls.ts';
import { workflowFolder } from './workflow-files.ts';
import { readWorkflow, type Workflows } from './workflow-text.ts';

/** How a repository calls the workflows that commands start. */
export type WorkflowNames = Config['chatops']['workflows'];

/** Those whose names no policy changes; what is called comes by its callers. */
const others = ['sweep.yml', 'poll.yml', 'chatops.yml', 'drill.yml', 'verify.yml', 'status-page.yml'];

/** The pipeline's workflows that are in a repository, and those that they call. */
export async function repositoryWorkflows(root: string, names: WorkflowNames): Promise<Workflows> {
  return withCalled(root, await workflowsAt(root, [...Object.values(names), ...others]));
}

/** These, and those of the repository that they call. */
export async function withCalled(root: string, workflows: Workflows): Promise<Workflows> {
  const called = [...callsOf(workflows).keys()].filter((name) => !workflows.has(name));
  return new Map([...workflows, ...(await workflowsAt(root, called))]);
}

/** Those of these names that are small files in the repository. */
export async function workflowsAt(root: string, names: readonly string[]): Promise<Workflows> {
  const found = new Map<string, { text: string; read: ReturnType<typeof readWorkflow> }>();
  for (const name of new Set(names)) {
    const text = await smallText(path.join(root, workflowFolder, name));
    if (text !== null) found.set(name, { text, read: readWorkflow(text) });
  }
  return found;
}

/** Environments that these workflows enter, but for that of Pages, which has no role and a check of its own. */
export function environmentsOf(workflows: Workflows): string[] {
  const named = [...workflows.values()].flatMap(({ read }) => read?.environments ?? []);
  return [...new Set(named)].filter((name) => name !== 'github-pages').sort();
}
