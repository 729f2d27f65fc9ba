import { UserError } from '../../errors.ts';
import type { GitHub, PullRequest, Review } from '../port.ts';
import * as answers from './answers.ts';
import { collect, type GitHubApi, refusalDetail } from './client.ts';

const repo = '/repos/{owner}/{repo}';

type RepositoryPart = Pick<
  GitHub,
  | 'defaultBranch'
  | 'file'
  | 'tree'
  | 'permission'
  | 'isTeamMember'
  | 'pullRequest'
  | 'pullRequestsOf'
  | 'reviews'
  | 'createPullRequest'
  | 'createBranch'
  | 'branchHead'
  | 'compare'
>;

/** Branches, files, people and pull requests. */
export function repositoryPart(api: GitHubApi): RepositoryPart {
  const reference = (name: string) =>
    api.find(answers.Reference, `${repo}/git/ref/{ref}`, { ref: `heads/${name}` });

  return {
    async defaultBranch() {
      const { default_branch: name } = await api.get(answers.Repository, repo);
      const { object } = await api.get(answers.Reference, `${repo}/git/ref/{ref}`, { ref: `heads/${name}` });
      return { name, sha: object.sha };
    },

    async file({ path, sha, limit }) {
      const found = await api.find(answers.Content, `${repo}/contents/{path}`, { path, ref: sha });
      if (found === null) return null;
      if (found.size > limit) {
        throw new UserError({
          code: 'github_too_large',
          message: `The file has ${found.size} bytes; ${limit} are allowed.`,
          where: { file: path },
          fix: 'Make the file smaller.',
        });
      }
      if (found.encoding === 'base64') return Buffer.from(found.content ?? '', 'base64');
      const blob = await api.get(answers.Blob, `${repo}/git/blobs/{file_sha}`, { file_sha: found.sha });
      return Buffer.from(blob.content, blob.encoding === 'base64' ? 'base64' : 'utf8');
    },

    async tree(sha) {
      const route = `${repo}/git/trees/{tree_sha}`;
      return api.get(answers.Tree, route, { tree_sha: sha, recursive: '1' });
    },

    async permission(login) {
      const route = `${repo}/collaborators/{username}/permission`;
      const found = await api.find(answers.Collaborator, route, { username: login });
      if (found === null) return { role: 'none', roleName: 'none' };
      return { role: answers.roleOf(found), roleName: found.role_name || 'none' };
    },

    async isTeamMember({ team, login }) {
      const [org, slug] = team.split('/');
      const route = '/orgs/{org}/teams/{team_slug}/memberships/{username}';
      const found = await api.find(answers.Membership, route, { org, team_slug: slug, username: login });
      return found?.state === 'active';
    },

    async pullRequest(number) {
      return api.find<PullRequest>(answers.Pull, `${repo}/pulls/{pull_number}`, { pull_number: number });
    },

    async pullRequestsOf(sha) {
      const route = `${repo}/commits/{commit_sha}/pulls`;
      return collect<PullRequest>(api.list(answers.Pull, route, { commit_sha: sha }));
    },

    async reviews(number) {
      const route = `${repo}/pulls/{pull_number}/reviews`;
      const newest = new Map<string, Review>();
      for await (const review of api.list(answers.PullReview, route, { pull_number: number, whole: true })) {
        const { user, state, commit_id: commit } = review;
        const before = newest.get(user.login);
        // A remark after an approval takes nothing back; a review not yet handed in says nothing.
        if (state === 'pending' || (state === 'commented' && before !== undefined)) continue;
        newest.set(user.login, { user: user.login, state, commit: commit ?? '' });
      }
      return [...newest.values()];
    },

    async branchHead(name) {
      return (await reference(name))?.object.sha ?? null;
    },

    async compare({ base, head }) {
      const route = `${repo}/compare/{basehead}`;
      // of the commits only their number counts
      return api.find(answers.Compared, route, { basehead: `${base}...${head}`, per_page: 1 });
    },

    async createPullRequest({ title, body, head, base }) {
      const { number, url } = await api.change(answers.Pull, `POST ${repo}/pulls`, {
        title,
        body,
        head,
        base,
      });
      return { number, url };
    },

    async createBranch({ name, from, message, files }) {
      if ((await reference(name)) !== null) return 'exists';
      const parent = /^[0-9a-f]{40}$/.test(from) ? from : (await reference(from))?.object.sha;
      const base = await api.get(answers.GitCommit, `${repo}/git/commits/{commit_sha}`, {
        commit_sha: parent ?? from,
      });
      const tree = await api.change(answers.WithSha, `POST ${repo}/git/trees`, {
        base_tree: base.tree.sha,
        tree: files.map(({ path, content }) => ({ path, content, mode: '100644', type: 'blob' })),
      });
      const commit = await api.change(answers.WithSha, `POST ${repo}/git/commits`, {
        message,
        tree: tree.sha,
        parents: [base.sha],
      });
      try {
        await api.change(answers.Reference, `POST ${repo}/git/refs`, {
          ref: `refs/heads/${name}`,
          sha: commit.sha,
        });
        return 'made';
      } catch (error) {
        // Another one was quicker.
        if (/reference already exists/i.test(refusalDetail(error)?.message ?? '')) return 'exists';
        throw error;
      }
    },
  };
}
