import { describe, expect, it } from 'vitest';
import type { IncomingComment } from '../../src/chatops/context.ts';
import { handleComment } from '../../src/chatops/handle.ts';
import { opIdOf } from '../../src/chatops/operations.ts';
import { ofDefaultBranch } from '../../src/chatops/reports/run.ts';
import type { WorkflowRun } from '../../src/github/port.ts';
import { ready, sha, World } from './world.ts';

/** A run under the id of the operation that a comment will be: repository, comment and line are known to all. */
function forged(world: World, comment: IncomingComment, how: Partial<WorkflowRun>): void {
  const opId = opIdOf(world.github.repository, comment, comment.body);
  world.github.workflowRuns.unshift({
    ...{ id: 6666, attempt: 1, path: '.github/workflows/promote.yml', event: 'workflow_dispatch' },
    ...{ title: `x (${opId})`, status: 'completed', conclusion: 'success', headSha: world.github.base.sha },
    ...{ headBranch: 'main', headRepository: 'acme/flights', actor: 'modelgate[bot]', ours: true },
    ...{ createdAt: comment.createdAt, startedAt: comment.createdAt, updatedAt: comment.createdAt },
    ...{ url: 'https://github.test/runs/6666', pullRequests: [], inputs: {} },
    ...how,
  });
}
const dispatches = ({ github }: World) => github.requests.filter((one) => one === 'dispatch').length;

describe('[GAT-4] a run under the id of an operation', () => {
  it.each([
    ['by somebody else', { actor: 'wil', ours: false }],
    ['of another branch', { headBranch: 'evil', headSha: sha('e') }],
    ["of a tag with the default branch's name", { headSha: sha('e') }],
    ['of a fork', { headRepository: 'eve/flights' }],
  ])('%s is not taken for it: the command starts its own', async (_, how) => {
    const world = await ready();
    const comment = world.comment('max', '/promote to staging');
    forged(world, comment, how);
    const result = await handleComment(comment, world.context);
    expect(result).toMatchObject({ reason: 'started' });
    expect(result?.operation?.run?.id).not.toBe(6666);
    expect(dispatches(world)).toBe(1);
    await world.work();
    expect(await world.serving('staging')).toBe(2);
  });

  it.each([
    ['the newest commit', {}],
    ['an earlier commit of the default branch', { headSha: sha('a') }],
  ])('by our app from %s is taken for it', async (_, how) => {
    const world = await ready();
    world.github.history.add(sha('a'));
    const comment = world.comment('max', '/promote to staging');
    forged(world, comment, { ...how, status: 'queued', conclusion: null });
    expect((await handleComment(comment, world.context))?.operation?.run?.id).toBe(6666);
    expect(dispatches(world)).toBe(0);
  });
});

describe('whether a run is of the default branch', () => {
  const run = { headRepository: 'acme/flights', headBranch: 'main', headSha: sha('a') };

  it('costs no request at its newest commit, and one at an earlier one', async () => {
    const world = new World();
    const { github, context } = world;
    const before = github.requests.length;
    expect(await ofDefaultBranch({ ...run, headSha: github.base.sha }, context)).toBe(true);
    expect(await ofDefaultBranch({ ...run, headBranch: 'evil' }, context)).toBe(false);
    expect(github.requests.slice(before)).toEqual([]);
    github.history.add(sha('a'));
    expect(await ofDefaultBranch(run, context)).toBe(true);
    expect(github.requests.slice(before)).toEqual(['compare']);
  });

  it('is told by the branch as it is now, where it was pushed to since we looked', async () => {
    const world = new World();
    const { github, context } = world;
    expect(await ofDefaultBranch(run, context)).toBe(false);
    github.base = { name: 'main', sha: sha('a') };
    expect(await ofDefaultBranch(run, context)).toBe(true);
    expect(await ofDefaultBranch({ ...run, headSha: sha('e') }, context)).toBe(false);
  });
});
