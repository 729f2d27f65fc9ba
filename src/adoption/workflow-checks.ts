import path from 'node:path';
import { type Level, missing, ok, type SetupCheck, warn } from './check.ts';
import type { WorkflowNames } from './repository-workflows.ts';
import type { Heard } from './schedule-check.ts';
import { smallText } from './survey.ts';
import {
  type BrokenCall,
  brokenCalls,
  brokenFix,
  brokenText,
  callsOf,
  inWords,
  verb,
} from './workflow-calls.ts';
import { forBranch, workflowFolder, workflowTemplates } from './workflow-files.ts';
import { readWorkflow, type Workflows, type WorkflowText } from './workflow-text.ts';

/** By the names of their files here: those of the templates, but where the policy names others. */
const originals = (names: WorkflowNames): Readonly<Record<string, string>> => ({
  [names.pull_request]: 'pull-request.yml',
  [names.train]: 'train.yml',
  [names.release]: 'release.yml',
  [names.monitor]: 'monitor.yml',
  [names.promote]: 'promote.yml',
  [names.rollback]: 'rollback.yml',
});

interface Group {
  level: Level;
  needed: boolean;
  files: readonly string[];
  /** Looked at where they are there. */
  others: readonly string[];
}

const groupsOf = (names: WorkflowNames): Readonly<Record<string, Group>> => ({
  pipeline: {
    ...{ level: 1, needed: true },
    files: [names.pull_request, names.train, names.release, names.monitor],
    others: ['sweep.yml', 'poll.yml'],
  },
  delivery: {
    ...{ level: 2, needed: true },
    files: [names.promote, names.rollback],
    others: [commandWorkflow],
  },
  care: { level: 2, needed: false, files: ['drill.yml', 'verify.yml'], others: [statusPage] },
});

/**
 * Whether the workflows are there, and as their templates are, and what they call can be called.
 *
 * @param workflows those of the repository, as `repositoryWorkflows` reads them
 * @param names how this repository calls them
 */
export async function workflowChecks(
  workflows: Workflows,
  { branch, names }: { branch: string; names: WorkflowNames },
): Promise<SetupCheck[]> {
  const templates = await workflowTemplates();
  const calls = callsOf(workflows);
  const original = originals(names);
  const templateOf = (file: string) => templates.get(original[file] ?? file);
  return Object.entries(groupsOf(names)).map(([group, { level, needed, files, others }]) => {
    const of = { check: `workflows_${group}`, level, needed };
    const callers = [...files, ...others.filter((file) => workflows.has(file))];
    const called = [...calls].filter(([, by]) => by.some((caller) => callers.includes(caller)));
    const wanted = [...new Set([...callers, ...called.map(([file]) => file)])];
    const lacking = wanted.filter((file) => !workflows.has(file));
    const broken = brokenCalls(workflows).filter((one) => one.callers.some((file) => callers.includes(file)));
    if (lacking.length > 0 || broken.length > 0) return unable(of, { lacking, broken, calls });
    const changed = wanted.filter((file) => {
      const template = templateOf(file);
      const text = workflows.get(file)?.text ?? '';
      return template !== undefined && ![template, forBranch(template, branch)].includes(text);
    });
    const earlier = changed.filter((file) => {
      const calls = (read: WorkflowText | null | undefined) => (read?.calls ?? []).length > 0;
      return !calls(workflows.get(file)?.read) && calls(readWorkflow(templateOf(file) ?? ''));
    });
    return changed.length === 0
      ? ok(of, `${wanted.join(', ')} are as the templates.`)
      : different(of, { changed, earlier });
  });
}

type Of = Pick<SetupCheck, 'check' | 'level' | 'needed'>;

/** What is not there, and what cannot be called. */
function unable(
  of: Of,
  found: { lacking: readonly string[]; broken: readonly BrokenCall[]; calls: ReadonlyMap<string, string[]> },
): SetupCheck {
  const { lacking, broken, calls } = found;
  const named = lacking.map((file) => {
    const callers = calls.get(file);
    return callers === undefined ? file : `${file} (which ${inWords(callers)} ${verb(callers, 'call')})`;
  });
  const details = [
    ...(lacking.length === 0 ? [] : [`Not in ${workflowFolder}: ${named.join(', ')}.`]),
    ...broken.map(brokenText),
  ];
  const fixes = [
    ...(lacking.length === 0 ? [] : ['modelgate init writes the templates that are not there.']),
    ...new Set(broken.map(brokenFix)),
  ];
  return missing(of, details.join(' '), fixes.join(' '));
}

function different(of: Of, found: { changed: readonly string[]; earlier: readonly string[] }): SetupCheck {
  const { changed, earlier } = found;
  const detail = `Other than the templates: ${changed.join(', ')}.`;
  return earlier.length === 0
    ? warn(
        of,
        detail,
        'Compare them with the templates of this version of ModelGate: the difference is yours, or theirs is newer.',
      )
    : warn(
        of,
        `${detail} ${inWords(earlier)} ${earlier.length === 1 ? 'does' : 'do'} not call candidate.yml, which scans, judges and registers in this release.`,
        `Take the new ones: move ${inWords(earlier)} away, run modelgate init, and make your own changes in them again.`,
      );
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
const scheduled = (names: WorkflowNames): Readonly<Record<string, number>> => ({
  [names.monitor]: 26 * hour,
  'verify.yml': 26 * hour,
  'poll.yml': 13 * hour,
  'drill.yml': 8 * 24 * hour,
  [statusPage]: 6 * hour,
});
export const statusPage = 'status-page.yml';
/** Hears commands in comments where no app does. */
export const commandWorkflow = 'chatops.yml';

/** Those of them that are in the repository, but for the ones that are watched already. */
export function otherSchedules(
  workflows: Workflows,
  { names, watched }: { names: WorkflowNames; watched: readonly string[] },
): Heard[] {
  return Object.entries(scheduled(names))
    .filter(([workflow]) => workflows.has(workflow) && !watched.includes(workflow))
    .map(([workflow, every]) => ({ workflow, every }));
}
