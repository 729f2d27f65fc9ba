import { z } from 'zod';
import { diskFiles } from '../config/load.ts';
import { UserError } from '../errors.ts';
import { Name } from '../names.ts';
import { changedSince, repositoryRoot, trackedFiles, trackedLinks } from '../repository/git.ts';
import { type RepositoryModels, repositoryModels } from '../repository/models.ts';
import { type ModelPaths, touchedModels, withLinks } from '../repository/touched.ts';
import { suggest } from '../suggest.ts';
import { defineStage, type StageResult } from './define.ts';

/** Jobs that GitHub makes of one matrix. */
const largestMatrix = 256;
const shown = 20;

const Entry = z.object({
  model: Name,
  config: z.string(),
  sample: z.string(),
  /** For names of artifacts, which one run holds of all its models: nothing for modelgate.yaml at the root. */
  suffix: z.string(),
});

const Outputs = z.object({
  /** Models that were chosen; all of them where nothing chooses. */
  count: z.number().int(),
  /** Models of the repository. */
  total: z.number().int(),
  models: z.array(Entry.extend({ depends: z.array(z.string()) })),
  /** For `strategy.matrix` of a workflow; null where there are more than GitHub takes. */
  matrix: z.object({ include: z.array(Entry) }).nullable(),
  /** Paths that changed; null where it was not asked. */
  changed: z.number().int().nullable(),
  broken: z.array(z.object({ config: z.string(), code: z.string(), message: z.string() })),
});
type Outputs = z.infer<typeof Outputs>;

/** The models of a repository, and which of them a change touches. Reads configurations and git, no data. */
export const models = defineStage({
  name: 'models',
  description:
    'Finds the models of a repository by their configurations, and which of them a change touches.',
  inputs: z.object({
    /** Absolute path of a folder in the repository. */
    folder: z.string().min(1).max(4096),
    config_files: z.array(z.string().min(1).max(500)).min(1).max(500),
    changed_since: z.string().min(1).max(500).nullable(),
    model: Name.nullable(),
    batch: z.object({ number: z.number().int().min(1), of: z.number().int().min(1).max(100) }),
  }),
  outputs: Outputs,
  cache: false,
  async run({ folder, config_files, changed_since, model, batch }) {
    const root = await repositoryRoot(folder);
    const files = await trackedFiles(root, config_files);
    if (files.length === 0) throw nothingThere(config_files);
    const changed = changed_since === null ? null : await changedSince(root, changed_since);
    const reached = changed === null ? null : withLinks(changed, await trackedLinks(root));
    const found = await repositoryModels(root, files, { read: readOnce(), complete: false });
    const touched = reached === null ? found.models : touchedModels(found.models, reached);
    const chosen = partOf(model === null ? touched : only(touched, model, found.models), batch);
    return resultOf({ found, chosen, changed: changed?.length ?? null });
  },
});

/** Many models extend the same files. */
function readOnce(): (file: string) => Promise<string | null> {
  const known = new Map<string, Promise<string | null>>();
  return (file) => {
    const text = known.get(file) ?? diskFiles.read(file);
    known.set(file, text);
    return text;
  };
}

function only(
  touched: readonly ModelPaths[],
  wanted: string,
  all: readonly ModelPaths[],
): readonly ModelPaths[] {
  const names = all.map(({ model }) => model);
  if (names.includes(wanted)) return touched.filter(({ model }) => model === wanted);
  const near = suggest(wanted, names);
  throw new UserError({
    code: 'usage',
    message: `No configuration of this repository is of the model ${wanted}.`,
    where: '--model',
    fix: near === null ? '`modelgate models` lists them.' : `Did you mean ${near}?`,
  });
}

/** The models in the order of their configurations' paths, in parts of nearly equal size. */
function partOf<M>(chosen: readonly M[], { number, of }: { number: number; of: number }): readonly M[] {
  const cut = (part: number) => Math.round((chosen.length * part) / of);
  return chosen.slice(cut(number - 1), cut(number));
}

interface Found {
  found: RepositoryModels;
  chosen: readonly ModelPaths[];
  changed: number | null;
}

function resultOf({ found, chosen, changed }: Found): StageResult<Outputs> {
  const entries = chosen.map(entryOf);
  const tooMany = chosen.length > largestMatrix;
  const [first] = found.broken;
  const outputs: Outputs = {
    ...{ count: chosen.length, total: found.models.length, changed, broken: found.broken },
    models: chosen.map((one) => ({ ...entryOf(one), depends: [...one.depends] })),
    matrix: tooMany ? null : { include: entries },
  };
  const told = toldOf({ found, chosen, changed });
  if (tooMany) {
    const parts = Math.ceil(chosen.length / largestMatrix);
    const summary = `${told} GitHub takes ${largestMatrix} jobs in one matrix: run it in parts, --batch 1/${parts} to --batch ${parts}/${parts}.`;
    return { verdict: 'fail', reason_code: 'too_many_models', summary, outputs };
  }
  if (first === undefined) return { verdict: 'pass', reason_code: 'done', summary: told, outputs };
  const others = found.broken.length > 1 ? ` And ${found.broken.length - 1} more.` : '';
  const summary = `${told} ${first.config} cannot be read: ${first.message}${others}`;
  return { verdict: 'fail', reason_code: 'config_invalid', summary, outputs };
}

const entryOf = ({ model, config, sample }: ModelPaths): z.infer<typeof Entry> => ({
  ...{ model, config, sample },
  suffix: config === 'modelgate.yaml' ? '' : `-${model}`,
});

function toldOf({ found, chosen, changed }: Found): string {
  const { length } = found.models;
  const counted = `${length} ${length === 1 ? 'model' : 'models'}`;
  const list = chosen.slice(0, shown).map(({ model }) => model);
  const rest = chosen.length > shown ? ` and ${chosen.length - shown} more` : '';
  const names = list.length === 0 ? '' : `: ${list.join(', ')}${rest}`;
  if (changed === null && chosen.length === length) return `${counted}${names}.`;
  const why =
    changed === null ? 'chosen' : `touched by ${changed} changed ${changed === 1 ? 'path' : 'paths'}`;
  return `${chosen.length} of ${counted} ${why}${names}.`;
}

const nothingThere = (patterns: readonly string[]): UserError =>
  new UserError({
    code: 'config_missing',
    message: `git tracks no file ${patterns.slice(0, 5).join(', ')}.`,
    where: '--config-files',
    fix: 'Add modelgate.yaml in a folder of the model and `git add` it, or name the files with --config-files.',
  });
