import path from 'node:path';
import { diskFiles, type Loaded } from '../config/load.ts';
import { UserError } from '../errors.ts';
import { repositoryRoot, trackedFiles } from '../repository/git.ts';
import { repositoryModels } from '../repository/models.ts';

/** The models that git tracks in a repository, and the one of this configuration, each with its file from the root. */
export async function modelsOf(
  folder: string,
  { config: { model }, files }: Loaded,
): Promise<{ model: string; config: string }[]> {
  const file = path.relative(folder, files.at(-1) ?? 'modelgate.yaml');
  const own = { model, config: file.split(path.sep).join('/') };
  try {
    const root = await repositoryRoot(folder);
    const tracked = await trackedFiles(root, ['**/modelgate.yaml']);
    const { models } = await repositoryModels(root, tracked, { ...diskFiles, complete: false });
    const found = models.map((one) => ({ model: one.model, config: one.config }));
    return found.some((one) => one.model === model) ? found : [own, ...found];
  } catch (error) {
    // no repository yet, or two of one name, which `modelgate models` tells
    if (error instanceof UserError) return [own];
    throw error;
  }
}
