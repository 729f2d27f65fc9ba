import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { GitHubUnavailable } from '../../src/github/port.ts';
import type { World } from './conformance.ts';
import type { OperationId } from './fake/openapi/index.ts';
import { actions, openWorld, probot } from './world.ts';

let world: World;
beforeEach(async () => {
  world = await openWorld(probot, { timeoutMilliseconds: 10_000 });
});
afterEach(async () => {
  await world.server.idle();
  await world.server[Symbol.asyncDispose]();
  expect(world.server.violations).toEqual([]);
});

/** What a call was thrown with. */
async function thrown(call: Promise<unknown>): Promise<unknown> {
  return call.then(
    () => null,
    (error: unknown) => error,
  );
}

const unavailable = (retryAfterSeconds: number | null, ambiguous: boolean) =>
  expect.objectContaining({ name: 'GitHubUnavailable', retryAfterSeconds, ambiguous });

/** Every request that makes or changes something, and what it does it with. */
const changes: [OperationId, (world: World) => Promise<unknown>][] = [
  ['issues/create-comment', ({ github }) => github.createComment(1, 'hello')],
  [
    'issues/update-comment',
    ({ github, repository }) => github.updateComment(repository.issue(1).comments[0]!.id, 'x'),
  ],
  [
    'reactions/create-for-issue-comment',
    ({ github, repository }) => github.react(repository.issue(1).comments[0]!.id, 'eyes'),
  ],
  ['issues/create', ({ github }) => github.createIssue({ title: 'Drift', body: '', labels: [] })],
  ['issues/update', ({ github }) => github.updateIssue(1, { body: 'x' })],
  [
    'checks/create',
    ({ github, repository }) =>
      github.createCheckRun({
        name: 'gate',
        headSha: repository.head('main'),
        externalId: 'x',
        conclusion: 'neutral',
        title: 'x',
        summary: 'x',
        annotations: [],
        detailsUrl: null,
      }),
  ],
  [
    'actions/create-workflow-dispatch',
    ({ github }) => github.dispatch({ workflow: 'train.yml', branch: 'main', inputs: { op_id: 'x' } }),
  ],
  [
    'repos/create-deployment',
    ({ github, repository }) =>
      github.createDeployment({
        sha: repository.head('main'),
        environment: 'staging',
        task: 'promote',
        production: false,
        description: '',
        payload: {},
      }),
  ],
  [
    'git/create-ref',
    ({ github, repository }) =>
      github.createBranch({
        name: 'b',
        from: repository.head('main'),
        message: 'm',
        files: [{ path: 'a', content: 'a' }],
      }),
  ],
];

describe('a request that changes something', () => {
  beforeEach(() => {
    const { number } = world.repository.openIssue('ana', { title: 'First' });
    world.repository.comment(number, 'ana', 'first');
  });

  const asked = (operation: OperationId) =>
    world.server.calls.filter((one) => one.operation === operation).length;

  it.each(changes)(
    '%s: an answer lost after the effect is ambiguous and asked for once',
    async (operation, call) => {
      for (const status of [502, 'reset'] as const) {
        world.server.faults.next(operation, { kind: 'lose-answer', status });
        const before = asked(operation);
        const done = world.server.count(operation);
        expect(await thrown(call(world))).toEqual(unavailable(null, true));
        expect(asked(operation) - before).toBe(1);
        expect(world.server.count(operation) - done).toBe(1);
        world.repository.refs.delete('heads/b');
      }
    },
  );

  it.each(changes)('%s: a limit is passed on, and had no effect', async (operation, call) => {
    for (const [fault, seconds] of [
      [{ kind: 'secondary-limit', status: 403, retryAfter: 7 }, 7],
      [{ kind: 'secondary-limit', status: 429, retryAfter: null }, 60],
    ] as const) {
      world.server.faults.next(operation, fault);
      expect(await thrown(call(world))).toEqual(unavailable(seconds, false));
    }
    world.server.faults.next(operation, { kind: 'rate-limit', status: 403, seconds: 90 });
    const limited = (await thrown(call(world))) as GitHubUnavailable;
    expect(limited).toBeInstanceOf(GitHubUnavailable);
    expect(Math.abs(limited.retryAfterSeconds! - 90)).toBeLessThanOrEqual(30);
    expect(world.server.count(operation)).toBe(0);
    expect(asked(operation)).toBe(3);
  });

  it('is ambiguous too when it was refused with 503, and when the answer is no JSON', async () => {
    const call = () => world.github.createComment(1, 'hello');
    world.server.faults.next('issues/create-comment', { kind: 'refuse', status: 503 });
    expect(await thrown(call())).toEqual(unavailable(null, true));
    world.server.faults.next('issues/create-comment', { kind: 'garble' });
    expect(await thrown(call())).toEqual(unavailable(null, true));
    expect(world.repository.issue(1).comments).toHaveLength(2);
  });

  it('does not make a branch that another made in between', async () => {
    const { server, repository, github } = world;
    server.faults.before = ({ operation }) => {
      if (operation === 'git/create-ref') repository.push('b', { other: 'x' });
    };
    const from = repository.head('main');
    expect(await github.createBranch({ name: 'b', from, message: 'm', files: [] })).toBe('exists');
    expect(repository.commit('b')!.files.has('other')).toBe(true);
  });
});

describe('a request that reads', () => {
  it('is tried again by the Octokit of Probot, whose own retries are for reading alone', async () => {
    world.server.faults.next('repos/get', { kind: 'refuse', status: 502 });
    expect((await world.github.defaultBranch()).name).toBe('main');
  });

  it('is never ambiguous', async () => {
    const other = await openWorld(actions);
    for (const fault of [
      { kind: 'refuse', status: 502 },
      { kind: 'lose-answer', status: 'reset' },
      { kind: 'garble' },
    ] as const) {
      other.server.faults.next('repos/get', fault);
      expect(await thrown(other.github.defaultBranch())).toEqual(unavailable(null, false));
    }
    other.server.faults.outage = true;
    expect(await thrown(other.github.checksOf('main'))).toEqual(unavailable(null, false));
    await other.server[Symbol.asyncDispose]();
  });

  it('never takes a failed token for "there is none"', async () => {
    const { github, server, repository } = world;
    const { number } = repository.openIssue('ana', { title: 'First' });
    server.installations.length = 0;
    expect(await thrown(github.issue(number))).toMatchObject({ code: 'github_denied' });
  });

  it('ends when nobody answers', async () => {
    const other = await openWorld(actions, { timeoutMilliseconds: 300 });
    other.server.faults.next('repos/get', { kind: 'silence', after: false });
    expect(await thrown(other.github.defaultBranch())).toEqual(unavailable(null, false));
    other.server.faults.next('issues/create', { kind: 'silence', after: true });
    const made = other.github.createIssue({ title: 'x', body: '', labels: [] });
    expect(await thrown(made)).toEqual(unavailable(null, true));
    expect(other.server.count('issues/create')).toBe(1);
    await other.server[Symbol.asyncDispose]();
  });
});

describe('permissions', () => {
  it('tells that the app may not, in words of our own', async () => {
    const { server, github, repository } = world;
    const { number } = repository.openIssue('ana', { title: 'First' });
    server.app.permissions.issues = 'read';
    expect(await thrown(github.createComment(number, 'x'))).toMatchObject({ code: 'github_denied' });
    expect((await github.issue(number))?.number).toBe(number);
  });
});

describe('older GitHub Enterprise', () => {
  it('is asked once whether it tells the run, and each dispatch takes place once', async () => {
    const old = await openWorld(actions, { enterprise: true });
    const request = { workflow: 'train.yml', branch: 'main', inputs: { op_id: 'x' } };
    expect(await old.github.dispatch(request)).toBeNull();
    expect(await old.github.dispatch(request)).toBeNull();
    expect(old.server.calls.map(({ status }) => status)).toEqual([400, 204, 204]);
    expect(old.repository.runs).toHaveLength(2);
    await old.server[Symbol.asyncDispose]();
  });
});
