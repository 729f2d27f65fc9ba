import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { parse } from 'yaml';

export const templateFolder = path.join(import.meta.dirname, '../../workflows-templates');

export interface Step {
  name?: string;
  id?: string;
  uses?: string;
  run?: string;
  with?: Record<string, string>;
}

export interface Job {
  if?: string;
  /** A workflow that is called, in place of a machine and steps. */
  uses?: string;
  with?: Record<string, string>;
  'runs-on'?: string | string[];
  'timeout-minutes'?: number;
  strategy?: unknown;
  permissions?: Record<string, string>;
  environment?: string;
  needs?: string | string[];
  outputs?: Record<string, string>;
  /** None where another workflow is called. */
  steps: Step[];
}

export interface Workflow {
  file: string;
  text: string;
  on: Record<string, unknown>;
  permissions: unknown;
  concurrency?: { group: string; 'cancel-in-progress': boolean };
  jobs: Record<string, Job>;
}

export const workflowFiles = readdirSync(templateFolder).filter((file) => file.endsWith('.yml'));

export const workflows: Workflow[] = workflowFiles.map((file) => {
  const text = readFileSync(path.join(templateFolder, file), 'utf8');
  const workflow = parse(text) as Omit<Workflow, 'file' | 'text'>;
  for (const job of Object.values(workflow.jobs)) job.steps ??= [];
  return { ...workflow, file, text };
});

/** Those that others call, by what stands in `uses`. */
export const called: ReadonlyMap<string, Workflow> = new Map(
  workflows
    .filter((workflow) => 'workflow_call' in workflow.on)
    .map((workflow) => [`./.github/workflows/${workflow.file}`, workflow]),
);

/** What the token of a job may do, in the words of the API. */
export function permissionsOf(file: string, job: string): Record<string, 'read' | 'write'> {
  const { permissions = {} } = workflows.find((one) => one.file === file)?.jobs[job] ?? {};
  return Object.fromEntries(
    Object.entries(permissions).map(([name, access]) => [
      name.replaceAll('-', '_'),
      access === 'write' ? 'write' : 'read',
    ]),
  );
}
