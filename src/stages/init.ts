import path from 'node:path';
import { z } from 'zod';
import { beginningOf, beginningRows } from '../adoption/beginning.ts';
import { type Choices, choose } from '../adoption/choose.ts';
import { codeOwners } from '../adoption/code-owners.ts';
import { type GitFacts, gitFacts } from '../adoption/git.ts';
import { type Measured, measureTable, repeatedRows } from '../adoption/measure.ts';
import { slug } from '../adoption/names.ts';
import { isThere, type NewFile, writeNew } from '../adoption/new-files.ts';
import { callSteps, gitSteps, nextSteps, notesOfSurvey } from '../adoption/next-steps.ts';
import { planFiles } from '../adoption/plan.ts';
import { type Survey, survey } from '../adoption/survey.ts';
import { workflowFiles } from '../adoption/workflow-files.ts';
import { UserError } from '../errors.ts';
import { Digest } from '../json.ts';
import { Name } from '../names.ts';
import { visible } from '../visible.ts';
import { defineStage, type StageContext } from './define.ts';
import { pinStaged } from './init-pin.ts';

const InitInput = z.object({
  /** The repository's root. */
  folder: z.string().min(1).max(4000),
  data: z.string().max(500).nullable(),
  label: z.string().max(200).nullable(),
  key: z.string().max(200).nullable(),
  time: z.string().max(200).nullable(),
  task: z.enum(['classification', 'regression']).nullable(),
  model: Name.nullable(),
  dry_run: z.boolean(),
});
type InitInput = z.infer<typeof InitInput>;

const InitOutput = z.object({
  files: z.array(
    z.object({ path: z.string(), action: z.enum(['written', 'extended', 'left']), what: z.string() }),
  ),
  dry_run: z.boolean(),
  model: z.string().nullable(),
  /** What was chosen by the look of the data; null where modelgate.yaml was there before. */
  chosen: z
    .object({
      data: z.string(),
      rows: z.number().int(),
      sampled: z.boolean(),
      task: z.string(),
      label: z.string(),
      key: z.string(),
      time: z.string().nullable(),
      features: z.array(z.string()),
      left_out: z.array(z.object({ column: z.string(), why: z.string() })),
      personal: z.array(z.string()),
    })
    .nullable(),
  /** Data files and columns that could be chosen instead. */
  could_be: z.object({ data: z.array(z.string()), columns: z.array(z.string()) }),
  evaluation: Digest.nullable(),
  found: z.array(z.object({ file: z.string(), note: z.string() })),
  next: z.array(z.string()),
});
type InitOutput = z.infer<typeof InitOutput>;

const config = 'modelgate.yaml';

/** A repository → the files that it lacks to be a model repository. Files that are there are never changed, but for .gitignore. */
export const init = defineStage({
  name: 'init',
  description:
    'Writes what a repository lacks: configuration, contract, features, training, gate, workflows.',
  inputs: InitInput,
  outputs: InitOutput,
  cache: false,
  async run(input, context) {
    const git = await gitFacts(input.folder);
    const found = await survey(input.folder);
    const outputs = (await isThere(path.join(input.folder, config)))
      ? await addToProject(input, { git, found })
      : await newProject(input, { git, found, context });
    const written = outputs.files.filter(({ action }) => action !== 'left').length;
    const left = outputs.files.length - written;
    const verb = input.dry_run ? 'would be written' : 'written';
    return {
      verdict: 'pass',
      reason_code: written === 0 ? 'nothing_to_do' : 'done',
      summary: [
        `${written} ${written === 1 ? 'file' : 'files'} ${verb}${left === 0 ? '' : `, ${left} left as they are`}.`,
        ...(outputs.chosen === null ? [] : [chosenText(outputs.chosen)]),
      ].join(' '),
      outputs,
    };
  },
});

function chosenText({ data, label, task, time, rows }: NonNullable<InitOutput['chosen']>): string {
  const how = time === null ? 'rows are dealt by a hash' : `in the order of ${time}`;
  return `${task} of ${label} from ${rows} rows of ${data}, ${how}.`;
}

interface Seen {
  git: GitFacts;
  found: Survey;
}

/** Beside a configuration only what hangs on none of its choices is added. */
async function addToProject(input: InitInput, { git, found }: Seen): Promise<InitOutput> {
  const wanted = await repositoryFiles(input.folder, git, { gate: 'gate.yaml', contracts: 'contracts' });
  const files = await writeNew(input.folder, {
    files: wanted,
    lines: ignored,
    dryRun: input.dry_run,
  });
  return {
    files: [{ path: config, action: 'left', what: 'configuration' }, ...files],
    dry_run: input.dry_run,
    model: null,
    chosen: null,
    could_be: { data: [], columns: [] },
    evaluation: null,
    found: found.found,
    next: [
      ...gitSteps(git),
      ...(await callSteps(input.folder, wanted)),
      'modelgate doctor says what else is missing.',
    ],
  };
}

async function newProject(input: InitInput, seen: Seen & { context: StageContext }): Promise<InitOutput> {
  const { git, found, context } = seen;
  const data = chooseData(input, found);
  const { measured, choices, repeated, sampled } = await lookAt(input, data, context);
  const source = slug(path.basename(data).replace(/\.[^.]+(\.gz)?$/i, ''), 'data');
  const model = input.model ?? slug(`${source}-${choices.label.column.name}`, 'model');
  const plan = await planFiles({
    ...{ root: input.folder, model, source, data, found, measured, choices, repeated, sampled },
  });
  const set =
    input.dry_run || sampled ? null : await pinStaged({ plan, root: input.folder, source, context, choices });
  const own: NewFile[] = [
    { path: config, what: 'configuration', content: { text: plan.config(set?.sha256 ?? null) } },
    ...plan.files,
    ...(set === null
      ? []
      : [{ path: plan.paths.evaluation, what: 'evaluation set', content: { copy: set.file } }]),
  ];
  const contracts = path.posix.dirname(plan.paths.contract);
  const shared = await repositoryFiles(input.folder, git, { gate: plan.paths.gate, contracts });
  const files = await writeNew(input.folder, {
    files: [...own, ...shared],
    lines: ignored,
    dryRun: input.dry_run,
  });
  const kept = plan.kept
    .filter((role) => role !== 'data')
    .map((role) => ({ path: plan.paths[role], action: 'left' as const, what: 'used as it is' }));
  const personal = measured.columns.filter((column) => column.personal).map(({ name }) => name);
  return {
    files: [...files, ...kept],
    dry_run: input.dry_run,
    model,
    chosen: {
      ...{ data, rows: measured.rows, sampled, task: choices.task, personal },
      label: choices.label.column.name,
      key: choices.key ?? choices.made.key,
      time: choices.time?.column ?? null,
      features: choices.features,
      left_out: choices.left,
    },
    could_be: {
      data: found.data.slice(0, 20).map((one) => one.path),
      columns: measured.columns.slice(0, 200).map(({ name }) => name),
    },
    evaluation: set?.sha256 ?? null,
    found: [...found.found, ...notesOfSurvey(found)],
    next: await nextSteps({
      ...{ folder: input.folder, dryRun: input.dry_run, set: set !== null },
      ...{ git, paths: plan.paths, model, choices, personal },
      calls: await callSteps(input.folder, shared),
    }),
  };
}

function chooseData({ folder, data }: InitInput, found: Survey): string {
  if (data !== null) {
    const wanted = path.relative(folder, path.resolve(folder, data)).split(path.sep).join('/');
    if (found.data.some((one) => one.path === wanted)) return wanted;
    throw new UserError({
      code: 'data_unavailable',
      message: `There is no data file ${visible(data)} in this repository.`,
      where: '--data',
      fix: 'Name a CSV or Parquet file within the repository, whose name holds none of * ? [ ] { } ( ) ! @ + |.',
    });
  }
  const [first] = found.data;
  if (first !== undefined) return first.path;
  const strange =
    found.refused.length === 0 ? '' : ` Not taken for its name: ${found.refused.slice(0, 3).join(', ')}.`;
  throw new UserError({
    code: 'data_unavailable',
    message: `There is no CSV or Parquet file in this repository.${strange}`,
    where: folder,
    fix: 'Put one in, with a header line and the column that is to be predicted, or fetch it (git lfs pull, dvc pull); then run modelgate init again.',
  });
}

async function lookAt(
  input: InitInput,
  data: string,
  context: StageContext,
): Promise<{ measured: Measured; choices: Choices; repeated: number; sampled: boolean }> {
  const looked = await beginningOf(path.join(input.folder, data), { folder: context.workDirectory });
  const engine = await context.engine();
  try {
    await engine.addFile('whole', looked.file);
    const some = looked.sampled ? ` LIMIT ${beginningRows}` : '';
    await engine.execute(`CREATE OR REPLACE TABLE batch AS SELECT * FROM whole${some}`);
    const measured = await measureTable(engine, 'batch');
    if (measured.rows < leastRows) {
      throw new UserError({
        code: 'data_empty',
        message: `${data} has ${measured.rows} rows: too few to train and to judge a model.`,
        where: data,
        fix: `Give a file with at least ${leastRows} rows; a gate that decides needs thousands.`,
      });
    }
    const { label, key, time, task } = input;
    const choices = choose(measured, { label, key, time, task });
    const repeated = await repeatedRows(engine, 'batch', choices.features);
    return { measured, choices, repeated, sampled: looked.sampled };
  } finally {
    await engine.close();
  }
}
const leastRows = 100;

const ignored = [{ path: '.gitignore', what: 'the store stays out of git', lines: ['.modelgate/'] }];

/** Files of the repository as a whole: workflows go to its root alone. */
async function repositoryFiles(
  root: string,
  git: GitFacts,
  paths: { gate: string; contracts: string },
): Promise<NewFile[]> {
  if (git.place === 'inside') return [];
  const owners = await codeOwners(root, paths);
  return [...(await workflowFiles(git.branch)), ...(owners === null ? [] : [owners])];
}
