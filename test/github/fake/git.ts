import { createHash } from 'node:crypto';
import type { Account, Commit } from './state.ts';

const sha1 = (text: string | Buffer) => createHash('sha1').update(text).digest('hex');

export interface NewCommit {
  parents: readonly string[];
  /** Written over the first parent's; null removes one. */
  files: Readonly<Record<string, string | Buffer | null>>;
  message: string;
  author: Account;
  date: string;
}

/** Commits, trees and blobs, shared by a repository and its forks as on GitHub. */
export class FakeGit {
  readonly commits = new Map<string, Commit>();
  readonly trees = new Map<string, ReadonlyMap<string, Buffer>>();
  readonly blobs = new Map<string, Buffer>();

  commit({ parents, files, message, author, date }: NewCommit): Commit {
    const base = parents[0] === undefined ? undefined : this.commits.get(parents[0]);
    const tree = this.tree(base?.files ?? new Map(), files);
    return this.commitTree({ parents, tree, message, author, date });
  }

  /** Gives the tree's name. */
  tree(base: ReadonlyMap<string, Buffer>, files: NewCommit['files']): string {
    const result = new Map(base);
    for (const [path, content] of Object.entries(files)) {
      if (content === null) result.delete(path);
      else result.set(path, Buffer.from(content));
    }
    const names: string[] = [];
    for (const [path, content] of [...result].sort(([a], [b]) => (a < b ? -1 : 1))) {
      const blob = blobSha(content);
      this.blobs.set(blob, content);
      names.push(`${path}\0${blob}`);
    }
    const name = sha1(`tree ${names.join('\n')}`);
    this.trees.set(name, result);
    return name;
  }

  commitTree(commit: Omit<NewCommit, 'files'> & { tree: string }): Commit {
    const files = this.trees.get(commit.tree);
    if (files === undefined) throw new Error(`no tree ${commit.tree}`);
    const { author, ...rest } = commit;
    const sha = sha1(JSON.stringify({ ...rest, author: author.login }));
    const made = { ...rest, author, sha, files };
    this.commits.set(sha, made);
    return made;
  }

  /** Whether `sha` can be reached from `head`. */
  contains(head: string, sha: string): boolean {
    return this.history(head).has(sha);
  }

  /** All that can be reached from a commit, itself first and parents after their children's level. */
  history(head: string): ReadonlySet<string> {
    const seen = new Set<string>([head]);
    for (const at of seen) for (const parent of this.commits.get(at)?.parents ?? []) seen.add(parent);
    return seen;
  }
}

export const blobSha = (content: Buffer): string =>
  sha1(Buffer.concat([Buffer.from(`blob ${content.length}\0`), content]));
