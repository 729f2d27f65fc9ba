import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseContract } from '../data/contract.ts';
import { GatePolicy } from '../gate/policy.ts';
import { parseYaml } from '../yaml.ts';
import type { Choices } from './choose.ts';
import { clustersByDay, configText, gateText, type Paths, sampleText } from './config-text.ts';
import { contractText } from './contract-text.ts';
import { featureSql } from './feature-sql.ts';
import type { Measured } from './measure.ts';
import { isThere, type NewFile } from './new-files.ts';
import { type Survey, smallText } from './survey.ts';

export interface PlanRequest {
  root: string;
  model: string;
  source: string;
  data: string;
  found: Pick<Survey, 'script' | 'lock' | 'params'>;
  measured: Measured;
  choices: Choices;
  /** Rows that are equal to an earlier one in all that a model sees. */
  repeated: number;
  sampled: boolean;
}

export interface Plan {
  paths: Paths;
  /** Files of the user's that the configuration names: they are used as they are. */
  kept: (keyof Paths)[];
  files: NewFile[];
  /** modelgate.yaml, when the hash of the evaluation set is known; null before. */
  config(sha256: string | null): string;
}

const mostSlices = 2;
const mostSliceValues = 10;
/** From this share on rows are taken to repeat one another by nature. */
const repeatedByNature = 0.01;

/** All files of a new project but the evaluation set, which takes a run over the data. */
export async function planFiles(request: PlanRequest): Promise<Plan> {
  const { root, model, source, data, found, measured, choices, repeated } = request;
  const { paths, kept } = await placeFiles(request);
  // equal rows on both sides of a split would be known by heart; time parts them by itself
  const grouped = choices.time === null && (repeated > 0 || choices.key === null);
  const params =
    found.script === null ? { learning_rate: 0.1, max_iter: 100, max_leaf_nodes: 15 } : (found.params ?? {});
  const asset = (text: string): NewFile['content'] => ({ text });
  const files: NewFile[] = [
    {
      path: paths.contract,
      what: 'contract of the data',
      content: asset(contractText({ source, file: data, measured, choices, sampled: request.sampled })),
    },
    {
      path: paths.sql,
      what: 'feature SQL',
      content: asset(
        featureSql({
          ...{ source, file: data, choices, grouped },
          columns: measured.columns.map(({ name }) => name),
          days: clustersByDay(choices),
        }),
      ),
    },
    {
      path: paths.gate,
      what: 'gate policy',
      content: asset(
        gateText({
          choices,
          slices: sliceColumns(request),
          repeated: repeated > measured.rows * repeatedByNature,
        }),
      ),
    },
    {
      path: paths.script,
      what: 'training script',
      content: {
        copy: fileURLToPath(new URL(`./templates/train-${choices.task}.py`, import.meta.url)),
      },
    },
    ...lockFiles(paths),
    { path: 'modelgate.sample.yaml', what: 'pull requests', content: asset(sampleText({ choices })) },
  ];
  const config = (sha256: string | null): string =>
    configText({ model, source, paths, choices, grouped, params, sha256 });
  const written = files.filter(({ path: name }) => !kept.some((role) => paths[role] === name));
  return { paths, kept, files: await notThere(root, written), config };
}

/** The lock of the examples, and what it was made of. */
function lockFiles(paths: Paths): NewFile[] {
  const folder = path.posix.dirname(paths.requirements);
  const lock = fileURLToPath(new URL('../../examples/flights/train/requirements.lock', import.meta.url));
  const names = fileURLToPath(new URL('../../examples/flights/train/requirements.in', import.meta.url));
  return [
    { path: paths.requirements, what: 'locked Python packages', content: { copy: lock } },
    { path: `${folder}/requirements.in`, what: 'Python packages', content: { copy: names } },
  ];
}

/** Beside a lock of the user's, its list of packages would say something else. */
async function notThere(root: string, files: NewFile[]): Promise<NewFile[]> {
  const lockIsNew = files.some(({ what }) => what === 'locked Python packages');
  const list = files.find(({ what }) => what === 'Python packages');
  const leave = !lockIsNew || (list !== undefined && (await isThere(path.join(root, list.path))));
  return leave ? files.filter((file) => file !== list) : files;
}

/** Where each file goes: what is there and fits is used, what is there and does not is left alone. */
async function placeFiles({
  root,
  model,
  source,
  data,
  found,
}: PlanRequest): Promise<Pick<Plan, 'paths' | 'kept'>> {
  const kept: (keyof Paths)[] = ['data'];
  const place = async (
    role: keyof Paths,
    wanted: string,
    fits: (text: string) => boolean,
  ): Promise<string> => {
    const file = path.join(root, wanted);
    if (!(await isThere(file))) return wanted;
    const text = await smallText(file);
    if (text !== null && fits(text)) {
      kept.push(role);
      return wanted;
    }
    return freePath(root, wanted);
  };
  const folder = await trainingFolder(root, found.script);
  if (found.script !== null) kept.push('script');
  if (found.lock !== null) kept.push('requirements');
  const paths: Paths = {
    data,
    contract: await place('contract', `contracts/${source}.yaml`, isContract),
    sql: await place('sql', `features/${model}.sql`, () => false),
    gate: await place('gate', 'gate.yaml', isPolicy),
    script: found.script ?? `${folder}/train.py`,
    requirements: found.lock ?? (await place('requirements', `${folder}/requirements.lock`, () => false)),
    evaluation: await place('evaluation', `evaluation/${model}-1.parquet`, () => false),
  };
  return { paths, kept };
}

/** `train`, or another folder where that holds a script of the user's: all Python files beside a script go with it. */
async function trainingFolder(root: string, script: string | null): Promise<string> {
  if (script !== null) return path.posix.dirname(script);
  return (await isThere(path.join(root, 'train/train.py'))) || (await isFile(path.join(root, 'train')))
    ? freePath(root, 'modelgate-train')
    : 'train';
}

const isFile = async (file: string): Promise<boolean> => (await smallText(file)) !== null;

async function freePath(root: string, wanted: string): Promise<string> {
  const { dir, name, ext } = path.posix.parse(wanted);
  for (let number = 2; ; number++) {
    const free = path.posix.join(dir, `${name}-${number}${ext}`);
    if (!(await isThere(path.join(root, free)))) return free;
  }
}

function isContract(text: string): boolean {
  return succeeds(() => parseContract(text, 'contract.yaml'));
}

function isPolicy(text: string): boolean {
  return succeeds(() => GatePolicy.parse(parseYaml(text, 'gate.yaml', 'config_invalid').value));
}

function succeeds(work: () => unknown): boolean {
  try {
    work();
    return true;
  } catch {
    return false;
  }
}

function sliceColumns({ choices, measured }: PlanRequest): string[] {
  return measured.columns
    .filter(({ name, values, distinct, nulls }) => {
      const few = values !== null && distinct >= 2 && distinct <= mostSliceValues && nulls === 0;
      return few && choices.features.includes(name);
    })
    .slice(0, mostSlices)
    .map(({ name }) => name);
}
