import path from 'node:path';
import type { GitHub } from '../../github/port.ts';
import { type Digest, sha256 } from '../../json.ts';
import type { VersionState } from '../../registry/state.ts';
import type { ConfiguredModel } from '../context.ts';
import { repositoryPath } from './paths.ts';

const largestFile = 2 * 1024 * 1024;

/** Digests of a commit's files, each read once; null: it has no such file. */
export class Tree {
  private readonly read = new Map<string, Promise<Digest | null>>();
  private readonly github: GitHub;
  readonly sha: string;

  constructor(github: GitHub, sha: string) {
    this.github = github;
    this.sha = sha;
  }

  digest(file: string): Promise<Digest | null> {
    const known = this.read.get(file) ?? this.load(file);
    this.read.set(file, known);
    return known;
  }

  private async load(file: string): Promise<Digest | null> {
    const bytes = await this.github.file({ path: file, sha: this.sha, limit: largestFile });
    return bytes === null ? null : sha256(bytes);
  }
}

/**
 * The first file by which a tree's model inputs differ from those of a judged version, or null where they are the same:
 * the code that its package holds, and the configuration and contracts as they stood at its commit. The gate's own
 * policy and set are the default branch's. What `extends` names, and
 * a Python file that came since beside the script, are not seen.
 */
export async function inputsDifference(
  model: ConfiguredModel,
  version: Readonly<VersionState>,
  { tree, judged }: { tree: Tree; judged: Tree },
): Promise<string | null> {
  for (const { file, digest } of await packagedFiles(model, version))
    if (file === null || (await tree.digest(file)) !== digest)
      return file ?? 'a file outside of the repository';
  for (const file of configurationFiles(model))
    if ((await tree.digest(file)) !== (await judged.digest(file))) return file;
  return null;
}

/** The code that was trained, where the configuration says that it lies; a null file lies outside of the repository. */
async function packagedFiles(
  { file: configuration, config, registry: { store } }: ConfiguredModel,
  version: Readonly<VersionState>,
): Promise<{ file: string | null; digest: Digest }[]> {
  const { files, inputs } = await store.readManifest(version.manifest, 'model');
  const code = inputs.code === undefined ? [] : (await store.readManifest(inputs.code, 'code')).files;
  const { script, requirements } = config.train;
  const named = new Map([
    ['train.py', script],
    ['requirements.lock', requirements],
  ]);
  const trained = code.map(({ name, sha256: digest }) => ({
    file: repositoryPath(configuration, named.get(name) ?? path.posix.join(path.posix.dirname(script), name)),
    digest,
  }));
  const features = files
    .filter(({ name }) => name === 'features.sql')
    .map(({ sha256: digest }) => ({ file: repositoryPath(configuration, config.features.sql), digest }));
  return [...trained, ...features];
}

function configurationFiles({ file, config }: ConfiguredModel): string[] {
  const contracts = Object.values(config.data.sources).flatMap(({ contract }) =>
    contract === undefined ? [] : [repositoryPath(file, contract)],
  );
  return [file, ...contracts.filter((one) => one !== null)];
}
