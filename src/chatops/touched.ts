import { sampleOf, touchedModels } from '../repository/touched.ts';
import type { ChatopsContext } from './context.ts';

/** GitHub names so many files of a comparison: of a larger change nothing is concluded. */
const mostFiles = 300;

/**
 * The models that a commit touches, by the default branch's configurations: what it has beyond the last commit that
 * both have in common. Null where GitHub does not tell all files.
 */
export async function touchedBy(
  { github, models, base }: Pick<ChatopsContext, 'github' | 'models' | 'base'>,
  sha: string,
): Promise<string[] | null> {
  const compared = await github.compare({ base: base.sha, head: sha });
  if (compared === null || compared.files.length >= mostFiles) return null;
  const known = [...models].map(([model, { file, depends = [] }]) => ({
    ...{ model, config: file, depends, sample: sampleOf(file) },
  }));
  const files = compared.files.map(({ path }) => path);
  return touchedModels(known, files).map(({ model }) => model);
}
