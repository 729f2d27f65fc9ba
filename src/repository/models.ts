import path from 'node:path';
import { type ConfigFiles, loadConfig } from '../config/load.ts';
import { UserError } from '../errors.ts';
import type { TrackedFile } from './git.ts';
import { dependsOf, isSample, type ModelPaths, sampleOf } from './touched.ts';

/** Configurations of one repository. */
export const mostConfigurations = 1000;

/** Goes into workflow inputs, job names and logs. */
const plainPath = /^(?![ -])[\p{L}\p{N}._@+=() /-]{1,500}(?<! )$/u;

export interface RepositoryModels {
  models: ModelPaths[];
  /** Configurations that cannot be read. */
  broken: { config: string; code: string; message: string }[];
}

/**
 * Reads the configurations of a repository. One that cannot be read keeps no other from being found. Throws
 * `config_invalid` where two claim the same model, and `usage` for too many.
 */
export async function repositoryModels(
  root: string,
  files: readonly TrackedFile[],
  read: ConfigFiles,
): Promise<RepositoryModels> {
  const wanted = files.filter((file) => !isSample(file.path));
  if (wanted.length > mostConfigurations)
    throw new UserError({
      code: 'usage',
      message: `There are ${wanted.length} configuration files; ${mostConfigurations} at most are looked at.`,
      where: wanted[mostConfigurations]?.path ?? root,
      fix: 'Name fewer with --config-files.',
    });
  const found: RepositoryModels = { models: [], broken: [] };
  for (const file of wanted) {
    try {
      found.models.push(await modelOf(root, file, read));
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      found.broken.push({ config: file.path, code: error.code, message: error.message });
    }
  }
  requireOwnNames(found.models);
  return found;
}

async function modelOf(root: string, file: TrackedFile, read: ConfigFiles): Promise<ModelPaths> {
  const refused = file.link
    ? 'The configuration is a symbolic link.'
    : plainPath.test(file.path)
      ? null
      : 'The path of the configuration is too long, or holds characters beside letters, digits, spaces and ._@+=()/-.';
  if (refused !== null)
    throw new UserError({
      code: 'config_invalid',
      message: refused,
      where: { file: file.path },
      fix: 'Use a plain file in a folder with a plain name.',
    });
  const loaded = await loadConfig(path.join(root, file.path), read);
  const sample = sampleOf(file.path);
  const depends = [...dependsOf(root, loaded), ...(await sampleDepends(root, sample, read))];
  return { model: loaded.config.model, config: file.path, sample, depends: [...new Set(depends)].sort() };
}

/** What the sample run names beside; one that is not there or cannot be read is told by its own run. */
async function sampleDepends(root: string, sample: string, read: ConfigFiles): Promise<string[]> {
  try {
    const depends = dependsOf(root, await loadConfig(path.join(root, sample), read));
    return depends.filter((one) => one !== sample);
  } catch (error) {
    if (error instanceof UserError) return [];
    throw error;
  }
}

function requireOwnNames(models: readonly ModelPaths[]): void {
  const known = new Map<string, string>();
  for (const { model, config } of models) {
    const other = known.get(model);
    if (other !== undefined)
      throw new UserError({
        code: 'config_invalid',
        message: `Two files configure the model ${model}: ${other} and ${config}.`,
        where: { file: config, key: 'model' },
        fix: 'Give each model a name of its own; a file that others only extend has another file name, or is named by none of --config-files.',
      });
    known.set(model, config);
  }
}
