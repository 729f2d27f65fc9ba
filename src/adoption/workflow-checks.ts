import path from 'node:path';
import type { Config } from '../config/schema.ts';
import { missing, ok, type SetupCheck, warn } from './check.ts';
import { isThere } from './new-files.ts';
import type { Heard } from './schedule-check.ts';
import { smallText } from './survey.ts';
import { forBranch, workflowFolder, workflowTemplates } from './workflow-files.ts';

type Names = Pick<Config['chatops'], 'workflows'>['workflows'];

/** Whether the workflows are there, and as their templates are. `names`: how this repository calls them. */
export async function workflowChecks(root: string, { branch, names }: { branch: string; names: Names }) {
  const groups = {
    pipeline: {
      level: 1,
      files: [names.pull_request, names.train, names.release, 'candidate.yml', names.monitor],
      needed: true,
    },
    delivery: { level: 2, files: [names.promote, names.rollback], needed: true },
    care: { level: 2, files: ['drill.yml', 'verify.yml'], needed: false },
  } as const;
  const templates = await workflowTemplates();
  const original: Readonly<Record<string, string>> = {
    [names.pull_request]: 'pull-request.yml',
    [names.train]: 'train.yml',
    [names.release]: 'release.yml',
    [names.monitor]: 'monitor.yml',
    [names.promote]: 'promote.yml',
    [names.rollback]: 'rollback.yml',
  };
  const checks: SetupCheck[] = [];
  for (const [group, { level, files, needed }] of Object.entries(groups)) {
    const of = { check: `workflows_${group}`, level, needed };
    const lacking: string[] = [];
    const changed: string[] = [];
    for (const file of files) {
      const text = await smallText(path.join(root, workflowFolder, file));
      const template = templates.get(original[file] ?? file);
      if (text === null) lacking.push(file);
      else if (template !== undefined && ![template, forBranch(template, branch)].includes(text))
        changed.push(file);
    }
    if (lacking.length > 0) {
      checks.push(
        missing(
          of,
          `Not in ${workflowFolder}: ${lacking.join(', ')}.`,
          'modelgate init writes those that are not there.',
        ),
      );
    } else if (changed.length > 0) {
      const fix =
        'Compare them with the templates of this version of ModelGate: the difference is yours, or theirs is newer.';
      checks.push(warn(of, `Other than the templates: ${changed.join(', ')}.`, fix));
    } else checks.push(ok(of, `${files.join(', ')} are as the templates.`));
  }
  return checks;
}

const ownerFiles = ['.github/CODEOWNERS', 'CODEOWNERS', 'docs/CODEOWNERS'];

/** Whether anybody must review a change of the files that judge. GitHub reads the first file that is there. */
export async function ownersCheck(root: string): Promise<SetupCheck> {
  const of = { check: 'owners', level: 2 } as const;
  const fix =
    'Say in .github/CODEOWNERS who owns gate.yaml, evaluation/ and .github/, and require a review by code owners.';
  for (const name of ownerFiles) {
    const text = await smallText(path.join(root, name));
    if (text === null) continue;
    const lines = text.split('\n').filter((line) => /^[^#\s]\S*\s+@?\S/.test(line));
    return lines.length > 0
      ? ok(of, `${lines.length} rules in ${name}.`)
      : warn(of, `${name} has no rule yet.`, fix);
  }
  return warn(of, 'There is no CODEOWNERS.', fix);
}

const hour = 3_600_000;
/** Templates that a schedule starts, by how long each may be silent: GitHub begins scheduled runs late, or drops one. */
const scheduled: Readonly<Record<string, number>> = {
  'monitor.yml': 26 * hour,
  'verify.yml': 26 * hour,
  'poll.yml': 13 * hour,
  'drill.yml': 8 * 24 * hour,
  'status-page.yml': 6 * hour,
};
export const statusPage = 'status-page.yml';

/** Those of them that are in the repository, but for the ones that are watched already. */
export async function otherSchedules(root: string, watched: readonly string[]): Promise<Heard[]> {
  const wanted = Object.entries(scheduled).filter(([workflow]) => !watched.includes(workflow));
  const found: Heard[] = [];
  for (const [workflow, every] of wanted) {
    if (await hasWorkflow(root, workflow)) found.push({ workflow, every });
  }
  return found;
}

/** Whether comments command anything: the app (told by its variable) or chatops.yml. */
export const hasChatopsWorkflow = (root: string) => hasWorkflow(root, 'chatops.yml');

export async function hasWorkflow(root: string, name: string): Promise<boolean> {
  return isThere(path.join(root, workflowFolder, name));
}
