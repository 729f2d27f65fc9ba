import { HttpError, invalid, notFound } from '../errors.ts';
import { blobSha } from '../git.ts';
import * as pulls from '../pulls.ts';
import * as render from '../render.ts';
import type { Account, Commit } from '../state.ts';
import { type Call, type Handlers, page, repositoryOf } from './call.ts';

const inlineLimit = 1_000_000;
/** GitHub lists 100,000. */
const treeLimit = 1000;

function content(call: Call): unknown {
  const repository = repositoryOf(call);
  const path = call.parameters.path!;
  const name = String(call.query.ref ?? repository.defaultBranch);
  const commit = repository.commit(name);
  if (commit === null) throw new HttpError(404, `No commit found for the ref ${name}`);
  const describe = (file: string, bytes: Buffer | null) => {
    const sha = bytes === null ? '0'.repeat(40) : blobSha(bytes);
    const url = `${call.github.url}/repos/${repository.fullName}/contents/${encodeURI(file)}?ref=${name}`;
    return {
      type: bytes === null ? 'dir' : 'file',
      name: file.replace(/^.*\//, ''),
      path: file,
      sha,
      size: bytes?.length ?? 0,
      url,
      html_url: url,
      git_url: url,
      download_url: url,
      _links: { self: url, git: url, html: url },
    };
  };
  const bytes = commit.files.get(path);
  if (bytes !== undefined) {
    const inline = bytes.length <= inlineLimit;
    return {
      ...describe(path, bytes),
      encoding: inline ? 'base64' : 'none',
      content: inline ? bytes.toString('base64').replaceAll(/(.{60})/g, '$1\n') : '',
    };
  }
  const inside = [...commit.files.keys()].filter((file) => file.startsWith(`${path}/`));
  if (inside.length === 0) throw notFound();
  const children = new Set(inside.map((file) => file.slice(path.length + 1).split('/')[0]!));
  return [...children].map((child) =>
    describe(`${path}/${child}`, commit.files.get(`${path}/${child}`) ?? null),
  );
}

const link = (call: Call, kind: string, sha: string) => ({
  sha,
  url: `${call.github.url}/repos/${repositoryOf(call).fullName}/git/${kind}/${sha}`,
});

function gitCommit(call: Call, commit: Commit): unknown {
  const person = {
    name: commit.author.login,
    email: `${commit.author.login}@github.test`,
    date: commit.date,
  };
  return {
    ...link(call, 'commits', commit.sha),
    message: commit.message,
    author: person,
    committer: person,
    tree: link(call, 'trees', commit.tree),
    parents: commit.parents.map((sha) => ({ ...link(call, 'commits', sha), html_url: '' })),
  };
}

const reference = (call: Call, name: string, sha: string) => ({
  ref: `refs/${name}`,
  node_id: `REF_${name}`,
  url: `${call.github.url}/repos/${repositoryOf(call).fullName}/git/refs/${name}`,
  object: { type: 'commit', ...link(call, 'commits', sha) },
});

interface TreeEntry {
  path?: string;
  mode?: string;
  type?: string;
  content?: string;
  sha?: string | null;
}

function profile(one: Account): Record<string, unknown> {
  return { ...render.user(one), name: one.login };
}

export const repositories: Handlers = {
  'repos/get': (call) => ({ status: 200, body: render.repository(repositoryOf(call)) }),
  'repos/get-content': (call) => ({ status: 200, body: content(call) }),
  'git/get-blob': (call) => {
    const sha = call.parameters.file_sha!;
    const bytes = repositoryOf(call).git.blobs.get(sha);
    if (bytes === undefined) throw notFound();
    return {
      status: 200,
      body: {
        ...link(call, 'blobs', sha),
        encoding: 'base64',
        content: bytes.toString('base64'),
        size: bytes.length,
      },
    };
  },
  'git/get-ref': (call) => {
    const name = call.parameters.ref!;
    const sha = repositoryOf(call).refs.get(name);
    if (sha === undefined) throw notFound();
    return { status: 200, body: reference(call, name, sha) };
  },
  'git/create-ref': (call) => {
    const { ref, sha } = call.body as { ref: string; sha: string };
    const repository = repositoryOf(call);
    const name = /^refs\/((?:heads|tags)\/.+)$/.exec(ref)?.[1];
    if (name === undefined) throw invalid('Reference name must start with refs/heads/ or refs/tags/');
    if (repository.refs.has(name)) throw invalid('Reference already exists');
    if (!repository.git.commits.has(sha)) throw invalid('Object does not exist');
    repository.setRef(name, sha, call.by.user);
    return { status: 201, body: reference(call, name, sha) };
  },
  'git/get-commit': (call) => {
    const found = repositoryOf(call).git.commits.get(call.parameters.commit_sha!);
    if (found === undefined) throw notFound();
    return { status: 200, body: gitCommit(call, found) };
  },
  'git/create-tree': (call) => {
    const { git } = repositoryOf(call);
    const { tree, base_tree: base } = call.body as { tree: TreeEntry[]; base_tree?: string };
    const under = base === undefined ? new Map<string, Buffer>() : git.trees.get(base);
    if (under === undefined) throw notFound();
    const files = tree.map(({ path = '', content: text, sha }) => [
      path,
      sha === null ? null : (text ?? git.blobs.get(sha ?? '') ?? ''),
    ]);
    const name = git.tree(under, Object.fromEntries(files));
    return { status: 201, body: { ...link(call, 'trees', name), truncated: false, tree: [] } };
  },
  'git/get-tree': (call) => {
    const { git } = repositoryOf(call);
    const sha = call.parameters.tree_sha!;
    // a commit's name is taken for its tree
    const tree = git.commits.get(sha)?.tree ?? sha;
    const files = git.trees.get(tree);
    if (files === undefined) throw notFound();
    const entries = [...files].map(([path, content]) => ({
      ...{ path, mode: '100644', type: 'blob', size: content.length },
      ...link(call, 'blobs', blobSha(content)),
    }));
    const truncated = entries.length > treeLimit;
    return {
      status: 200,
      body: { ...link(call, 'trees', tree), truncated, tree: entries.slice(0, treeLimit) },
    };
  },
  'git/create-commit': (call) => {
    const { git } = repositoryOf(call);
    const {
      message,
      tree,
      parents = [],
    } = call.body as { message: string; tree: string; parents?: string[] };
    if (!git.trees.has(tree)) throw invalid('Tree SHA does not exist');
    const made = git.commitTree({ message, tree, parents, author: call.by.user, date: call.github.time() });
    return { status: 201, body: gitCommit(call, made) };
  },
  'repos/get-collaborator-permission-level': (call) => {
    const repository = repositoryOf(call);
    const account = call.github.accounts.get(call.parameters.username!.toLowerCase());
    if (account === undefined) throw notFound();
    const given = repository.roleOf(account.login);
    const order = ['read', 'triage', 'write', 'maintain', 'admin'];
    const level = given === null ? -1 : order.indexOf(given.role);
    const legacy = level < 0 ? 'none' : level < 2 ? 'read' : level < 4 ? 'write' : 'admin';
    return {
      status: 200,
      body: {
        permission: legacy,
        role_name: given?.roleName ?? '',
        user: {
          ...render.user(account),
          role_name: given?.roleName ?? '',
          permissions: {
            pull: level >= 0,
            triage: level >= 1,
            push: level >= 2,
            maintain: level >= 3,
            admin: level >= 4,
          },
        },
      },
    };
  },
  'teams/get-membership-for-user-in-org': (call) => {
    const { org, team_slug: slug, username } = call.parameters;
    const state = call.github.teams.get(`${org}/${slug}`.toLowerCase())?.get(username!.toLowerCase());
    if (state === undefined) throw notFound();
    return {
      status: 200,
      body: {
        url: `${call.github.url}/orgs/${org}/teams/${slug}/memberships/${username}`,
        role: 'member',
        state,
      },
    };
  },
  'users/get-by-username': (call) => {
    const found = call.github.accounts.get(call.parameters.username!.toLowerCase());
    if (found === undefined) throw notFound();
    return { status: 200, body: profile(found) };
  },
  'rate-limit/get': (call) => {
    const reset = Math.floor(call.github.now().getTime() / 1000) + 3600;
    const one = { limit: 5000, used: 0, remaining: 5000, reset };
    return { status: 200, body: { resources: { core: one, search: one }, rate: one } };
  },
  'pulls/get': (call) => ({
    status: 200,
    body: render.pullRequest(repositoryOf(call).pullRequest(Number(call.parameters.pull_number))),
  }),
  'pulls/create': (call) => {
    const wanted = call.body as {
      title?: string;
      body?: string;
      head: string;
      base: string;
      draft?: boolean;
    };
    const made = pulls.open(repositoryOf(call), call.by, {
      branch: wanted.head.replace(/^[^:]+:/, ''),
      base: wanted.base,
      title: wanted.title ?? '',
      body: wanted.body ?? '',
      draft: wanted.draft ?? false,
    });
    return { status: 201, body: render.pullRequest(made) };
  },
  'pulls/list-reviews': (call) => {
    const pull = repositoryOf(call).pullRequest(Number(call.parameters.pull_number));
    const seen = pull.pull.reviews.filter((one) => one.state !== 'PENDING' || one.user === call.by.user);
    return page(call, seen, (one) => render.review(pull, one, 'api'));
  },
  'repos/list-pull-requests-associated-with-commit': (call) => {
    const repository = repositoryOf(call);
    const sha = call.parameters.commit_sha!;
    const found = [...repository.issues.values()].filter(pulls.isPull).filter(({ state, pull }) => {
      if (pull.mergeCommit === sha) return true;
      if (state !== 'open' && pull.mergedAt === null) return false;
      return repository.git.contains(pull.headSha, sha) && !repository.git.contains(pull.baseSha, sha);
    });
    return page(call, found, render.pullRequest);
  },
};
