import path from 'node:path';
import { visible } from '../visible.ts';
import type { Choices } from './choose.ts';
import type { Paths } from './config-text.ts';
import { type GitFacts, ignoredByGit } from './git.ts';
import type { NewFile } from './new-files.ts';
import { withCalled, workflowsAt } from './repository-workflows.ts';
import type { Survey } from './survey.ts';
import { brokenCalls, brokenFix, brokenText } from './workflow-calls.ts';
import { readWorkflow } from './workflow-text.ts';

export function gitSteps({ place }: GitFacts): string[] {
  if (place === 'outside') return ['This is no git repository yet: git init, then commit.'];
  if (place === 'root') return [];
  return ["This is a folder within a git repository: copy the workflows to the repository's root yourself."];
}

/**
 * What to mend before the workflows can run: one that was there under a name that the others call.
 *
 * @param files those that are written where they are not there, the workflows among them
 */
export async function callSteps(folder: string, files: readonly NewFile[]): Promise<string[]> {
  const written = files.flatMap(({ path: file, what, content }) =>
    what === 'workflow' && 'text' in content
      ? [[path.posix.basename(file), { text: content.text, read: readWorkflow(content.text) }] as const]
      : [],
  );
  const there = await workflowsAt(
    folder,
    written.map(([name]) => name),
  );
  const broken = brokenCalls(await withCalled(folder, new Map([...written, ...there])));
  return broken.map((one) => `${brokenText(one)} ${brokenFix(one)}`);
}

export function notesOfSurvey({ refused, cut }: Survey): Survey['found'] {
  return [
    ...refused.slice(0, 10).map((file) => ({
      file,
      note: 'is not taken as data: a pattern or a terminal would misread its name',
    })),
    ...(cut
      ? [{ file: '.', note: 'holds very many files: not all were looked at; name the data with --data' }]
      : []),
  ];
}

/** What a person does next, in order. */
export async function nextSteps(of: {
  folder: string;
  dryRun: boolean;
  git: GitFacts;
  paths: Paths;
  model: string;
  /** Whether the evaluation set was made. */
  set: boolean;
  choices: Choices;
  personal: readonly string[];
  /** What `callSteps` says. */
  calls: readonly string[];
}): Promise<string[]> {
  const { folder, dryRun, git, paths, model, set, choices, personal, calls } = of;
  const hidden = await ignoredByGit(folder, [paths.data, paths.evaluation]);
  const window = choices.time === null ? '--held-out' : `--from ${choices.time.span.cut}`;
  return [
    ...(dryRun ? ['Run it without --dry-run to write the files.'] : []),
    `Read modelgate.yaml, ${paths.sql} and ${paths.contract}: label, key, time and features are guesses.`,
    ...(personal.length === 0
      ? []
      : [
          `These columns look personal, so the model does not see them: ${personal.map(visible).join(', ')}.`,
        ]),
    ...(set || dryRun
      ? []
      : [
          `The data are large: modelgate pin ${paths.evaluation} ${window}, and put the sha256 into modelgate.yaml.`,
        ]),
    ...hidden.map((file) => `git ignores ${visible(file)}: workflows will not have it.`),
    'modelgate run',
    `modelgate promote ${model}@1 --to staging`,
    ...gitSteps(git),
    ...calls,
    'Commit the files, and set up the workflows (docs/workflows.md); modelgate doctor says what is missing.',
  ];
}
