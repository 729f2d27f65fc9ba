import { execFile } from 'node:child_process';
import { realpath } from 'node:fs/promises';
import { promisify } from 'node:util';

export interface GitFacts {
  /** `root`: the folder is a repository's root; `inside`: it lies deeper in one. */
  place: 'root' | 'inside' | 'outside';
  /** The branch that workflows take for the default one. */
  branch: string;
  /** owner/name on GitHub, from the remote `origin`. */
  repository: { owner: string; repo: string } | null;
}

const usual = 'main';
const branchName = /^[A-Za-z0-9][A-Za-z0-9._/-]{0,99}$/;

/** What git says of a folder; without git, as if there were no repository. */
export async function gitFacts(folder: string): Promise<GitFacts> {
  const top = await git(folder, ['rev-parse', '--show-toplevel']);
  if (top === null) return { place: 'outside', branch: usual, repository: null };
  const remote = await git(folder, ['symbolic-ref', '--short', 'refs/remotes/origin/HEAD']);
  const branch = remote?.replace(/^origin\//, '') ?? (await git(folder, ['symbolic-ref', '--short', 'HEAD']));
  return {
    place: (await realpath(folder)) === (await realpath(top)) ? 'root' : 'inside',
    branch: branch !== null && branchName.test(branch) ? branch : usual,
    repository: repositoryOf(await git(folder, ['remote', 'get-url', 'origin'])),
  };
}

/** owner/name of a remote's URL, by SSH or HTTPS. */
export function repositoryOf(url: string | null): GitFacts['repository'] {
  const match =
    /^(?:https?:\/\/[^/]+\/|ssh:\/\/[^/]+\/|[^@/\s]+@[^:/\s]+:)([A-Za-z0-9-]+)\/([A-Za-z0-9._-]+?)(?:\.git)?\/?$/.exec(
      url ?? '',
    );
  return match === null ? null : { owner: match[1]!, repo: match[2]! };
}

async function git(folder: string, args: readonly string[]): Promise<string | null> {
  try {
    const { stdout } = await promisify(execFile)('git', [...args], { cwd: folder, timeout: 5000 });
    return stdout.trim() || null;
  } catch {
    return null;
  }
}

/** Those of these paths that git ignores; none without a repository. */
export async function ignoredByGit(folder: string, paths: readonly string[]): Promise<string[]> {
  const told = await git(folder, ['check-ignore', '--', ...paths]);
  return told === null ? [] : paths.filter((name) => told.split('\n').includes(name));
}
