import { describe, expect, it } from 'vitest';
import type { IncomingComment } from '../../src/chatops/context.ts';
import { handleComment } from '../../src/chatops/handle.ts';
import { mayEnter } from '../../src/chatops/may-enter.ts';
import { answerProtectionRule } from '../../src/chatops/protection.ts';
import { GitHubUnavailable } from '../../src/github/port.ts';
import { promote } from '../../src/rollout/move.ts';
import type { FakeRun } from '../github/fake/runs.ts';
import type { PullRequest } from '../github/fake/state.ts';
import { model, ReportWorld } from './reports/world.ts';

const timeout = 60_000;

interface Accepted {
  world: ReportWorld;
  pull: PullRequest;
  run: FakeRun;
}

/**
 * A candidate that passed, and `/promote to staging` by a person who may: accepted, dispatched, not yet let in. `told`:
 * whether our reply says which run it is; it does not where we were stopped just after the dispatch.
 */
async function accepted({ told = true } = {}): Promise<Accepted> {
  const world = await ReportWorld.open();
  const { repository, server } = world;
  repository.collaborator('max', 'maintain');
  for (const name of ['staging', 'production']) repository.environment(name, { protectedBy: [server.app] });
  const pull = world.pull();
  await world.register(pull.pull.headSha, { run: 5 });
  repository.status(pull.pull.headSha, 'ci', 'success');
  const carriedOut = handleComment(incoming(world, pull, '/promote to staging'), world.context);
  if (told) {
    expect(await carriedOut).toMatchObject({ decision: 'started', reason: 'started' });
  } else {
    let updates = 0;
    server.faults.plan = ({ operation }) => {
      if (operation === 'issues/update-comment') updates += 1;
      return updates === 2 ? { kind: 'refuse', status: 502 } : null;
    };
    await expect(carriedOut).rejects.toBeInstanceOf(GitHubUnavailable);
    server.faults.plan = null;
  }
  const run = repository.runs.at(-1) as FakeRun;
  expect(run.workflow.path).toBe('.github/workflows/promote.yml');
  run.start();
  return { world, pull, run };
}

function incoming(world: ReportWorld, pull: PullRequest, body: string): IncomingComment {
  const { id, createdAt } = world.repository.comment(pull.number, 'max', body);
  return {
    ...{ id, body, author: 'max', authorType: 'User', viaApp: false, createdAt },
    ...{ number: pull.number, isPullRequest: true },
  };
}

/** The job comes to the environment; GitHub asks; we answer. */
async function enter({ world }: Pick<Accepted, 'world'>, run: FakeRun, environment = 'staging') {
  const entered = run.enter(environment);
  const answer = await answerProtectionRule({ runId: run.id, environment }, world.context);
  expect(answer.told).toBe(true);
  expect(await entered).toBe(answer.state);
  expect(world.server.violations).toEqual([]);
  return answer;
}

describe('[GAT-4] the deployment protection rule', { timeout }, () => {
  it.each([true, false])(
    'lets in what a command of ours was accepted for (its run told: %s)',
    async (told) => {
      const made = await accepted({ told });
      expect(await enter(made, made.run)).toMatchObject({ state: 'approved', reason: 'done' });
    },
  );

  it.each([true, false])(
    'refuses a run from the Actions tab, also under an accepted name and with other inputs (told: %s)',
    async (told) => {
      const made = await accepted({ told });
      const { repository } = made.world;
      const byHand = (title: string, by = 'max') =>
        repository.startRun({
          ...{ workflow: 'promote.yml', event: 'workflow_dispatch', by, headBranch: 'main', title },
          inputs: { ...made.run.inputs, model: `${model}@99` },
        });
      for (const run of [byHand(made.run.title), byHand('Promote it'), byHand(`x ${'f'.repeat(64)}`)]) {
        run.start();
        expect(await enter(made, run)).toMatchObject({ state: 'rejected', reason: 'not_permitted' });
      }
      // nothing of it hinders the run that is meant
      expect(await enter(made, made.run)).toMatchObject({ state: 'approved' });
    },
  );

  it('refuses a second run of our own app under the same operation', async () => {
    const made = await accepted();
    const { server, repository } = made.world;
    const second = repository.startRun({
      ...{ workflow: 'promote.yml', event: 'workflow_dispatch', by: server.bot, headBranch: 'main' },
      title: made.run.title,
    });
    second.start();
    expect(await enter(made, second)).toMatchObject({ state: 'rejected' });
  });

  it.each([
    ['of a branch', { headBranch: 'better' }],
    ["of a tag with the default branch's name", (head: string) => ({ headSha: head })],
    ['of another workflow', { workflow: 'release.yml' }],
    ['by a push', { event: 'push' }],
    ['by the other command’s workflow', { workflow: 'rollback.yml' }],
  ])('refuses a run %s, whatever its name', async (_, change) => {
    const made = await accepted({ told: false });
    const { server, repository } = made.world;
    const run = repository.startRun({
      ...{ workflow: 'promote.yml', event: 'workflow_dispatch', by: server.bot, headBranch: 'main' },
      ...{ title: made.run.title },
      ...(typeof change === 'function' ? change(made.pull.pull.headSha) : change),
    });
    run.start();
    expect(await enter(made, run)).toMatchObject({ state: 'rejected', reason: 'not_permitted' });
  });

  it('asked by the workflow itself, refuses inputs that are not the command’s, and any run by hand', async () => {
    const { world, run } = await accepted();
    const { model: named = '', digest, expected_generation: generation = '' } = run.inputs;
    const [name, version] = named.split('@');
    const said = { model: name, version: Number(version), digest, generation: Number(generation) };
    const ask = (runId: number, claims: object) =>
      mayEnter({ runId, environment: 'staging', claims }, world.context);
    expect(await ask(run.id, said)).toMatchObject({ allowed: true });
    for (const other of [{ version: 99 }, { digest: 'f'.repeat(64) }, { generation: 7 }, { model: 'x' }]) {
      expect(await ask(run.id, { ...said, ...other })).toMatchObject({
        allowed: false,
        reason: 'digest_mismatch',
      });
    }
    const { title, inputs } = run;
    const byHand = world.repository.startRun({
      ...{
        workflow: 'promote.yml',
        event: 'workflow_dispatch',
        by: 'max',
        headBranch: 'main',
        title,
        inputs,
      },
    });
    expect(await ask(byHand.id, said)).toMatchObject({ allowed: false, reason: 'not_permitted' });
  });

  it('refuses another environment than the accepted one', async () => {
    const made = await accepted();
    expect(await enter(made, made.run, 'production')).toMatchObject({ state: 'rejected' });
  });

  it('refuses after a push', async () => {
    const made = await accepted();
    made.world.repository.push('better', { 'train.py': 'print(3)' });
    expect(await enter(made, made.run)).toMatchObject({ state: 'rejected', reason: 'head_moved' });
  });

  it('refuses when the environment has moved since', async () => {
    const made = await accepted();
    const { registry } = made.world;
    await made.world.register('d'.repeat(40));
    await promote(registry, {
      ...{ model, environment: 'staging', environments: ['staging', 'production'], version: 2 },
      ...{ op_id: null, reason: null, dry_run: false, override: null, expected_generation: null },
      actor: { name: 'ana', via: 'cli' },
    });
    expect(await enter(made, made.run)).toMatchObject({ state: 'rejected', reason: 'champion_moved' });
  });

  it('refuses when our reply is gone, and believes no copy of it', async () => {
    const made = await accepted();
    const reply = made.pull.comments.find(({ user }) => user.login === 'modelgate[bot]');
    made.world.repository.comment(made.pull.number, 'max', reply?.body ?? '');
    made.world.repository.deleteComment(reply?.id ?? 0, 'max');
    expect(await enter(made, made.run)).toMatchObject({ state: 'rejected', reason: 'not_permitted' });
  });

  it('says nothing twice, and asks to be called again when GitHub is away', async () => {
    const made = await accepted();
    const { world, run } = made;
    const request = { runId: run.id, environment: 'staging' };
    const entered = run.enter('staging');
    world.server.faults.next('actions/review-custom-gates-for-run', { kind: 'refuse', status: 502 });
    await expect(answerProtectionRule(request, world.context)).rejects.toBeInstanceOf(GitHubUnavailable);
    for (const told of [true, false])
      expect(await answerProtectionRule(request, world.context)).toMatchObject({ state: 'approved', told });
    expect(await entered).toBe('approved');
    const unknown = await answerProtectionRule({ runId: 4_000_000, environment: 'staging' }, world.context);
    expect(unknown).toMatchObject({ state: 'rejected', told: false });
  });
});
