import { describe, expect, it } from 'vitest';
import type { CheckRun, GitHub } from '../../src/github/port.ts';
import { blobSha } from './fake/git.ts';
import type { FakeRepository } from './fake/repository.ts';
import type { FakeGitHubServer } from './fake/server.ts';

export interface World {
  /** The port under test. */
  github: GitHub;
  /** The GitHub behind it, where people act. */
  server: FakeGitHubServer;
  repository: FakeRepository;
}

export const workflow = `
name: Train
run-name: train \${{ inputs.op_id }}
on:
  workflow_dispatch:
    inputs:
      op_id: {required: true}
`;

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

const check = (headSha: string, more: Partial<CheckRun> = {}): CheckRun => ({
  name: 'modelgate/gate',
  headSha,
  externalId: 'flights',
  conclusion: 'success',
  title: 'Passed',
  summary: 'Every check passed.',
  annotations: [],
  detailsUrl: null,
  ...more,
});

/** What every implementation of the port does, over a GitHub that a test controls. */
export function conformance(name: string, world: () => World): void {
  describe(`the port over ${name}`, () => {
    it('reads the default branch and files of a commit', async () => {
      const { github, repository } = world();
      const first = repository.head('main');
      repository.push('main', { 'deep/a file.txt': 'new', 'large.bin': Buffer.alloc(1_500_000, 7) });
      const branch = await github.defaultBranch();
      expect(branch).toEqual({ name: 'main', sha: repository.head('main') });
      const read = (path: string, sha = branch.sha) => github.file({ path, sha, limit: 2_000_000 });
      expect((await read('deep/a file.txt'))?.toString()).toBe('new');
      expect(await read('deep/a file.txt', first)).toBeNull();
      expect(await read('deep')).toBeNull();
      expect(await read('large.bin')).toEqual(Buffer.alloc(1_500_000, 7));
      await expect(github.file({ path: 'large.bin', sha: branch.sha, limit: 1000 })).rejects.toMatchObject({
        code: 'github_too_large',
      });
    });

    it.each([
      ['a reader', 'read', 'read'],
      ['who triages', 'triage', 'triage'],
      ['a writer', 'write', 'write'],
      ['a maintainer, whom the old field calls writer', 'maintain', 'maintain'],
      ['an administrator', 'admin', 'admin'],
      ['a custom role by what it is at least', 'maintain', 'release-manager'],
    ] as const)('tells roles apart: %s', async (_, role, roleName) => {
      const { github, repository } = world();
      repository.collaborator('pat', role, roleName);
      expect(await github.permission('pat')).toEqual({ role, roleName });
    });

    it('gives a stranger what the repository gives everybody, and nobody nothing', async () => {
      const { github, server } = world();
      server.person('stranger');
      expect(await github.permission('stranger')).toEqual({ role: 'read', roleName: 'read' });
      expect(await github.permission('no-such-person')).toEqual({ role: 'none', roleName: 'none' });
    });

    it('takes only active members for members of a team', async () => {
      const { github, server } = world();
      server.team('acme/ml', { ana: 'active', ben: 'pending' });
      const isMember = (login: string, team = 'acme/ml') => github.isTeamMember({ team, login });
      expect(await isMember('ana')).toBe(true);
      expect(await isMember('ben')).toBe(false);
      expect(await isMember('eve')).toBe(false);
      expect(await isMember('ana', 'acme/none')).toBe(false);
    });

    it('reads pull requests, of forks and of forks that are gone', async () => {
      const { github, repository } = world();
      const own = repository.openPullRequest('ana', { branch: 'better', files: { a: '1' }, labels: ['x'] });
      const fork = repository.fork('eve');
      const other = repository.openPullRequest('eve', { from: fork, branch: 'evil', files: { b: '2' } });
      expect(await github.pullRequest(own.number)).toMatchObject({
        number: own.number,
        state: 'open',
        merged: false,
        draft: false,
        author: 'ana',
        headSha: repository.head('better'),
        headRef: 'better',
        baseRef: 'main',
        fork: false,
        mergeCommit: null,
        labels: ['x'],
      });
      expect(await github.pullRequest(other.number)).toMatchObject({ fork: true, author: 'eve' });
      other.pull.headRepository = null;
      expect(await github.pullRequest(other.number)).toMatchObject({ fork: true });
      expect(await github.pullRequest(99)).toBeNull();
      const issue = repository.openIssue('ana', { title: 'No pull request' });
      expect(await github.pullRequest(issue.number)).toBeNull();
      expect(await github.pullRequestsOf(repository.head('better'))).toMatchObject([{ number: own.number }]);
      repository.merge(own.number, 'ana');
      expect(await github.pullRequest(own.number)).toMatchObject({
        ...{ state: 'closed', merged: true, mergeCommit: repository.head('main') },
      });
    });

    it("gives each person's newest word in a review, and the commit it was about", async () => {
      const { github, repository } = world();
      const { number } = repository.openPullRequest('ana', { branch: 'better', files: { a: '1' } });
      const first = repository.head('better');
      repository.review(number, 'ben', 'CHANGES_REQUESTED');
      repository.review(number, 'ben', 'APPROVED');
      repository.review(number, 'ben', 'COMMENTED');
      repository.review(number, 'cat', 'COMMENTED');
      const taken = repository.review(number, 'dan', 'APPROVED');
      repository.dismiss(number, taken.id, 'ana');
      repository.push('better', { a: '2' });
      repository.review(number, 'eve', 'APPROVED');
      expect(await github.reviews(number)).toEqual([
        { user: 'ben', state: 'approved', commit: first },
        { user: 'cat', state: 'commented', commit: first },
        { user: 'dan', state: 'dismissed', commit: first },
        { user: 'eve', state: 'approved', commit: repository.head('better') },
      ]);
    });

    it('makes a branch with a commit once, and opens a pull request from it', async () => {
      const { github, repository } = world();
      const main = repository.head('main');
      const request = {
        name: 'modelgate/retrain-1',
        from: main,
        message: 'Retrain',
        files: [{ path: 'evidence/drift.md', content: 'It moved: ä\n' }],
      };
      expect(await github.createBranch(request)).toBe('made');
      const made = repository.commit('modelgate/retrain-1')!;
      expect(made.parents).toEqual([main]);
      expect(made.files.get('evidence/drift.md')?.toString()).toBe('It moved: ä\n');
      expect(made.files.has('.github/workflows/train.yml')).toBe(true);
      expect(await github.createBranch({ ...request, message: 'Again' })).toBe('exists');
      expect(repository.commit('modelgate/retrain-1')).toBe(made);
      const pull = await github.createPullRequest({
        title: 'Retrain',
        body: 'Because it drifted.',
        head: 'modelgate/retrain-1',
        base: 'main',
      });
      expect(repository.pullRequest(pull.number)).toMatchObject({ title: 'Retrain', user: { type: 'Bot' } });
      await expect(
        github.createPullRequest({ title: 'x', body: '', head: 'modelgate/retrain-1', base: 'main' }),
      ).rejects.toMatchObject({ code: 'github_refused' });
    });

    it('lists the plain files of a commit, and says where there are more than it tells', async () => {
      const { github, repository } = world();
      const sha = repository.push('main', { 'models/a/modelgate.yaml': 'a', 'train.py': 'b' });
      const blob = blobSha(Buffer.from('a'));
      expect(await github.tree(sha)).toContainEqual({ path: 'models/a/modelgate.yaml', blob });
      const many = Object.fromEntries(Array.from({ length: 1001 }, (_, n) => [`data/${n}`, '']));
      expect(await github.tree(repository.push('main', many))).toBeNull();
      await expect(github.tree('f'.repeat(40))).rejects.toMatchObject({ code: 'github_missing' });
    });

    it('compares two commits: which is the earlier one, and what the later one changes', async () => {
      const { github, repository } = world();
      const first = repository.head('main');
      const second = repository.push('main', { 'moved.sql': 'select 1', 'train.py': 'a' });
      const side = repository.push('side', { 'train.py': 'b', 'x.sql': 'select 1', 'moved.sql': null });
      repository.push('main', { other: '1' });
      const main = repository.head('main');
      const compare = (base: string, head: string) => github.compare({ base, head });
      expect(await compare(main, main)).toEqual({ status: 'identical', ahead: 0, files: [] });
      expect(await compare(main, first)).toEqual({ status: 'behind', ahead: 0, files: [] });
      expect(await compare(first, second)).toMatchObject({ status: 'ahead', ahead: 1 });
      // since they parted; a new name alone does not hide that the old one is gone
      const parted = await compare(main, side);
      expect(parted).toMatchObject({ status: 'diverged', ahead: 1 });
      const blob = (content: string) => blobSha(Buffer.from(content));
      expect(Object.fromEntries(parted!.files.map(({ path, blob: name }) => [path, name]))).toEqual({
        ...{ 'train.py': blob('b'), 'x.sql': blob('select 1'), 'moved.sql': null },
      });
      expect(await compare(main, 'f'.repeat(40))).toBeNull();
    });

    it('lists comments from the oldest on, over pages, and tells ours from a forged one', async () => {
      const { github, repository } = world();
      const { number } = repository.openIssue('ana', { title: 'Long' });
      for (let n = 0; n < 120; n++) repository.comment(number, 'ana', `comment ${n}`);
      const ours = await github.createComment(number, '<!-- marker --> ours');
      repository.comment(number, 'eve', '<!-- marker --> ours');
      const found = await all(github.comments(number));
      expect(found).toHaveLength(122);
      expect(found[0]).toMatchObject({ body: 'comment 0', author: 'ana', ours: false });
      expect(found.filter((one) => one.ours).map(({ id }) => id)).toEqual([ours.id]);
      await github.updateComment(ours.id, 'new words');
      expect(repository.findComment(ours.id).body).toBe('new words');
    });

    it('reacts once, however often', async () => {
      const { github, repository } = world();
      const { number } = repository.openIssue('ana', { title: 'Drift' });
      const { id } = repository.comment(number, 'ana', '/drift ack');
      await github.react(id, 'eyes');
      await github.react(id, 'eyes');
      await github.react(id, 'rocket');
      expect(repository.findComment(id).reactions.map(({ content }) => content)).toEqual(['eyes', 'rocket']);
    });

    it('opens, finds, changes and closes issues', async () => {
      const { github, repository } = world();
      const made = await github.createIssue({
        title: 'Drift',
        body: 'It moved',
        labels: ['drift', 'flights'],
      });
      expect(made).toMatchObject({ state: 'open', ours: true, labels: ['drift', 'flights'] });
      repository.openIssue('eve', { title: 'Forged', labels: ['drift', 'flights'] });
      repository.openPullRequest('ana', { branch: 'p', files: { a: '' }, labels: ['drift', 'flights'] });
      repository.openIssue('eve', { title: 'Other', labels: ['drift'] });
      const list = await all(github.issues({ labels: ['drift', 'flights'], state: 'open' }));
      expect(list.map(({ title, ours }) => [title, ours])).toEqual([
        ['Forged', false],
        ['Drift', true],
      ]);
      await github.updateIssue(made.number, { body: 'It moved on', state: 'closed' });
      expect(await github.issue(made.number)).toMatchObject({ state: 'closed', body: 'It moved on' });
      repository.changeIssue(made.number, 'ana', { state: 'open' });
      repository.changeIssue(made.number, 'ana', { state: 'closed' });
      expect((await github.issue(made.number))?.closedBy).toBe('ana');
      const closed = await all(github.issues({ labels: ['drift'], state: 'closed' }));
      expect(closed.map(({ number }) => number)).toEqual([made.number]);
      expect(await github.issue(999)).toBeNull();
    });

    it('makes and finds check runs, and adds each annotation once', async () => {
      const { github, server, repository } = world();
      const sha = repository.head('main');
      const annotations = Array.from({ length: 120 }, (_, line) => ({
        path: 'modelgate.yaml',
        line: line + 1,
        level: 'warning' as const,
        title: 'Gate',
        message: `line ${line + 1}`,
      }));
      const asked = { sha, name: 'modelgate/gate', externalId: 'flights' };
      expect(await github.checkRun(asked)).toBeNull();
      const made = await github.createCheckRun(check(sha, { conclusion: null, annotations }));
      expect(repository.checks[0]).toMatchObject({ status: 'in_progress', conclusion: null });
      await github.createCheckRun(check(sha, { externalId: 'diamonds' }));
      expect(await github.checkRun(asked)).toEqual(made);
      await github.updateCheckRun(made.id, check(sha, { annotations }));
      const [done] = repository.checks;
      expect(done).toMatchObject({ status: 'completed', conclusion: 'success', externalId: 'flights' });
      expect(done?.annotations.map(({ message }) => message)).toEqual(
        annotations.map(({ message }) => message),
      );
      expect(repository.checks[0]?.app.slug).toMatch(/modelgate|github-actions/);
      const stranger = server.addApp('other-app', {}, []);
      repository.checks.push({ ...done!, id: server.id(), app: stranger });
      expect(await github.checkRun(asked)).toEqual(made);
    });

    it('calls a commit green only when every check and status is', async () => {
      const { github, repository } = world();
      const sha = repository.head('main');
      expect(await github.checksOf(sha)).toEqual({ state: 'unknown', failed: [], pending: [] });
      repository.status(sha, 'build', 'success');
      await github.createCheckRun(check(sha, { conclusion: 'neutral' }));
      expect(await github.checksOf(sha)).toEqual({ state: 'success', failed: [], pending: [] });
      await github.createCheckRun(check(sha, { name: 'slow', conclusion: null }));
      expect(await github.checksOf(sha)).toEqual({ state: 'pending', failed: [], pending: ['slow'] });
      repository.status(sha, 'build', 'error');
      // what has failed hides nothing that goes on
      expect(await github.checksOf(sha)).toEqual({ state: 'failure', failed: ['build'], pending: ['slow'] });
      expect((await github.checksOf('f'.repeat(40))).state).toBe('unknown');
    });

    it('dispatches a workflow and follows its run', async () => {
      const { github, server, repository } = world();
      const inputs = { op_id: 'ab'.repeat(32) };
      const before = server.now().toISOString();
      const started = await github.dispatch({ workflow: 'train.yml', branch: 'main', inputs });
      const [run] = await all(
        github.runs({ workflow: 'train.yml', event: 'workflow_dispatch', createdAfter: before }),
      );
      expect(run).toMatchObject({
        attempt: 1,
        title: `train ${inputs.op_id}`,
        path: '.github/workflows/train.yml',
        event: 'workflow_dispatch',
        status: 'queued',
        conclusion: null,
        headSha: repository.head('main'),
        headBranch: 'main',
        headRepository: 'acme/flights',
        ours: true,
        pullRequests: [],
      });
      expect(started).toEqual(server.enterprise ? null : { runId: run!.id, url: run!.url });
      expect(await github.run(run!.id)).toEqual(run);
      await github.cancelRun(run!.id);
      expect(await github.run(run!.id)).toMatchObject({ status: 'completed', conclusion: 'cancelled' });
      await github.cancelRun(run!.id);
      expect(await github.run(1)).toBeNull();
      expect(await all(github.runs({ workflow: 'train.yml', headSha: 'f'.repeat(40) }))).toEqual([]);
      expect(server.count('actions/create-workflow-dispatch')).toBe(1);
      // a tag of the branch's name is not meant
      expect(
        server.calls.find(({ operation }) => operation === 'actions/create-workflow-dispatch')?.body,
      ).toMatchObject({ ref: 'refs/heads/main' });
      const byHand = repository.startRun({ workflow: 'train.yml', event: 'workflow_dispatch', by: 'ana' });
      expect(await github.run(byHand.id)).toMatchObject({ actor: 'ana', ours: false });
    });

    it.each([
      ['an unknown workflow', { workflow: 'none.yml', branch: 'main', inputs: {} }, 'github_missing'],
      ['an unknown input', { workflow: 'train.yml', branch: 'main', inputs: { op: 'x' } }, 'github_refused'],
      [
        'an unknown branch',
        { workflow: 'train.yml', branch: 'gone', inputs: { op_id: 'x' } },
        'github_refused',
      ],
    ])('does not dispatch %s', async (_, request, code) => {
      const { github, repository } = world();
      await expect(github.dispatch(request)).rejects.toMatchObject({ code });
      expect(repository.runs).toEqual([]);
    });

    it('reads one file of an artifact', async () => {
      const { github, repository } = world();
      const pull = repository.openPullRequest('ana', { branch: 'better', files: { a: '1' } });
      const run = repository.startRun({
        workflow: 'pull-request.yml',
        event: 'pull_request',
        by: 'ana',
        pull,
      });
      run.complete('success', {
        gate: { 'outcome.json': '{"verdict":"pass"}', 'report.md': '# Report' },
        empty: {},
      });
      expect(await github.run(run.id)).toMatchObject({ pullRequests: [pull.number], title: 'better' });
      const artifacts = await github.artifacts(run.id);
      expect(artifacts.map(({ name, expired }) => [name, expired])).toEqual([
        ['empty', false],
        ['gate', false],
      ]);
      const [empty, gate] = artifacts;
      const read = (artifact: typeof gate, name: RegExp) =>
        github.artifactFile({ artifact: artifact!, name, limit: 262_144 });
      expect((await read(gate, /^outcome\.json$/))?.toString()).toBe('{"verdict":"pass"}');
      expect(await read(gate, /^none$/)).toBeNull();
      expect(await read(empty, /./)).toBeNull();
      await expect(read(gate, /./)).rejects.toMatchObject({ code: 'github_artifact_refused' });
    });

    it('makes deployments that merge nothing and wait for nothing, and tells their state', async () => {
      const { github, server, repository } = world();
      const { number } = repository.openPullRequest('ana', { branch: 'behind', files: { a: '1' } });
      repository.push('main', { b: '2' });
      const sha = repository.pullRequest(number).pull.headSha;
      repository.status(sha, 'build', 'failure');
      const make = (environment: string, task = 'promote:flights') =>
        github.createDeployment({
          sha,
          environment,
          task,
          production: environment === 'production',
          description: 'x'.repeat(300),
          payload: { type: 'modelgate', version: 3 },
        });
      const first = await make('staging');
      const second = await make('staging');
      await make('staging', 'promote:diamonds');
      await make('production');
      const asked = server.calls.filter(({ operation }) => operation === 'repos/create-deployment');
      for (const { body } of asked) expect(body).toMatchObject({ auto_merge: false, required_contexts: [] });
      for (const { id } of [first, second]) {
        await github.setDeploymentState(id, { state: 'success', description: 'y'.repeat(300), logUrl: null });
      }
      const listed = await all(github.deployments({ environment: 'staging', task: 'promote:flights' }));
      expect(listed.map(({ id }) => id)).toEqual([second.id, first.id]);
      expect(listed[1]).toEqual({
        ...first,
        payload: { type: 'modelgate', version: 3 },
        sha,
        environment: 'staging',
      });
      const kept = repository.deployments.find(({ id }) => id === first.id)!;
      expect(kept.statuses.map(({ state }) => state)).toEqual(['success']);
      expect(repository.deployments.map(({ production }) => production)).toEqual([false, false, false, true]);
    });

    it('answers a deployment protection rule', async () => {
      const { github, server, repository } = world();
      repository.environment('production', { protectedBy: [server.app] });
      const run = repository.startRun({ workflow: 'train.yml', event: 'workflow_dispatch', by: 'ana' });
      const entered = run.enter('production');
      const answer = { runId: run.id, environment: 'production', state: 'rejected', comment: 'No.' } as const;
      if (
        server.app.slug !==
        (await github.createComment(openIssue(repository), 'x')).author.replace('[bot]', '')
      ) {
        await expect(github.reviewDeployment(answer)).rejects.toMatchObject({ name: 'UserError' });
        return;
      }
      await github.reviewDeployment(answer);
      expect(await entered).toBe('rejected');
    });

    it("refuses what the token may not do, in words that show nothing of a stranger's", async () => {
      const { github } = world();
      await expect(github.createComment(12345, 'x')).rejects.toMatchObject({ code: 'github_missing' });
      await expect(github.createComment(12345, 'x')).rejects.not.toThrow(/Not Found/);
    });
  });
}

const openIssue = (repository: FakeRepository): number => repository.openIssue('ana', { title: 'x' }).number;
