import { notFound } from '../errors.ts';
import { blobSha } from '../git.ts';
import * as render from '../render.ts';
import type { Commit } from '../state.ts';
import { type Handlers, repositoryOf } from './call.ts';

/** `BASE...HEAD`, by SHA, branch or tag: what HEAD has since they parted. */
export const comparisons: Handlers = {
  'repos/compare-commits-with-basehead': (call) => {
    const repository = repositoryOf(call);
    const { git } = repository;
    const [base, head] = call.parameters.basehead!.split('...').map((name) => repository.commit(name));
    if (base == null || head == null) throw notFound();
    const [ofBase, ofHead] = [git.history(base.sha), git.history(head.sha)];
    // newest first: the first that both have is where they parted
    const parted = [...ofHead].find((sha) => ofBase.has(sha));
    if (parted === undefined) throw notFound();
    const ahead = [...ofHead].filter((sha) => !ofBase.has(sha));
    const behind = [...ofBase].filter((sha) => !ofHead.has(sha));
    const status =
      ahead.length === 0
        ? behind.length === 0
          ? 'identical'
          : 'behind'
        : behind.length === 0
          ? 'ahead'
          : 'diverged';
    const size = Number(call.query.per_page ?? 30);
    const at = (Number(call.query.page ?? 1) - 1) * size;
    const shown = ahead.toReversed().slice(at, at + size);
    const from = git.commits.get(parted)!;
    return {
      status: 200,
      body: {
        ...{ status, ahead_by: ahead.length, behind_by: behind.length, total_commits: ahead.length },
        base_commit: commit(base),
        merge_base_commit: commit(from),
        commits: shown.map((sha) => commit(git.commits.get(sha)!)),
        // with the first page alone
        ...(at === 0 ? { files: changes(from, head).slice(0, 300) } : {}),
      },
    };
  },
};

const commit = (one: Commit) => ({
  sha: one.sha,
  node_id: `C_${one.sha}`,
  commit: { message: one.message, tree: { sha: one.tree } },
  author: render.user(one.author),
  committer: render.user(one.author),
  parents: one.parents.map((sha) => ({ sha })),
});

/** A file whose content was there under another name, and is gone there, was renamed. */
function changes(from: Commit, to: Commit) {
  const names = [...new Set([...from.files.keys(), ...to.files.keys()])].sort();
  const changed = names.filter((name) => {
    const [before, after] = [from.files.get(name), to.files.get(name)];
    return before === undefined || after === undefined || !before.equals(after);
  });
  const gone = changed.filter((name) => !to.files.has(name));
  const files = changed
    .filter((name) => to.files.has(name))
    .map((filename) => {
      const content = to.files.get(filename)!;
      const twin = from.files.has(filename)
        ? undefined
        : gone.find((name) => from.files.get(name)!.equals(content));
      if (twin !== undefined) gone.splice(gone.indexOf(twin), 1);
      const status = twin !== undefined ? 'renamed' : from.files.has(filename) ? 'modified' : 'added';
      return {
        ...{ filename, status, sha: blobSha(content) },
        ...(twin === undefined ? {} : { previous_filename: twin }),
      };
    });
  return [
    ...files,
    ...gone.map((filename) => ({ filename, status: 'removed', sha: blobSha(from.files.get(filename)!) })),
  ];
}
