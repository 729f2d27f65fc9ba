import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { noPostgres, PostgresServer } from './postgres-server.ts';
import { BotWorld, eventually, freePort, modelConfig, workflows } from './world.ts';

const missing = noPostgres();
const models = ['a', 'b', 'c', 'd'].map((name) => `flights-${name}`);
const files = Object.fromEntries(models.map((model) => [`models/${model}.yaml`, modelConfig(model)]));
let server: PostgresServer;
beforeAll(async () => {
  if (missing === null) server = await PostgresServer.start(await freePort());
});
afterAll(() => server?.[Symbol.asyncDispose]());

describe.skipIf(missing !== null)(`several bots on one inbox (${missing ?? 'PostgreSQL'})`, () => {
  it('do each command once, and the commands of one that is killed', { timeout: 120_000 }, async () => {
    await using world = await BotWorld.create({
      processes: 2,
      inbox: await server.database('several'),
      environment: { MODELGATE_CONFIG_FILES: Object.keys(files).join(',') },
    });
    const { github } = world;
    const repository = github.repository('acme/flights', {
      isPrivate: true,
      files: { ...files, ...workflows },
    });
    repository.collaborator('max', 'maintain');
    const numbers = new Map<string, number>();
    for (const model of models) {
      const { version } = await world.candidate(repository, { model, commit: '0'.repeat(40) });
      await world.place(repository, { model, version });
      const pull = repository.openPullRequest('max', { branch: model, files: { [model]: 'better' } });
      await world.candidate(repository, { model, commit: pull.pull.headSha });
      repository.status(pull.pull.headSha, 'tests', 'success');
      numbers.set(model, pull.number);
    }
    await github.idle();
    await world.start(0);
    // the first bot gets no answer to its dispatch, whose effect took place
    github.faults.next('actions/create-workflow-dispatch', { kind: 'silence', after: true });
    const asked = models.map((model) => ({
      model,
      id: repository.comment(numbers.get(model) ?? 0, 'max', `/promote ${model} to staging`).id,
    }));
    const dispatched = () => github.count('actions/create-workflow-dispatch');
    await eventually(dispatched, (count) => count === 1, { what: 'a dispatch' });
    await world.start(1);
    const { id: help } = repository.comment(1, 'max', '/help');
    await eventually(
      () => world.replies(repository, help).length,
      (count) => count === 1,
      { what: 'a command of another lane, beside it' },
    );
    // the second one has looked for claims to take over, and found their owner alive
    await sleep(2_500);
    expect(dispatched()).toBe(1);
    expect(await world.metrics(1)).toMatch(/inbox_jobs\{state="running",kind="comment"\} 1\n/);
    await world.end('SIGKILL', 0);
    await eventually(
      () =>
        asked.map(({ id }) =>
          world
            .replies(repository, id)
            .map(({ decision }) => decision)
            .join(),
        ),
      (all) => all.every((decision: string) => decision === 'done'),
      { within: 90_000, what: 'every command done' },
    );
    for (const { model, id } of asked) {
      const [record, ...others] = world.replies(repository, id);
      expect(others).toEqual([]);
      const entries = await world.registry(repository).entries(model);
      expect(entries.filter(({ entry }) => entry.op_id === record?.op_id)).toHaveLength(1);
      expect(repository.runs.filter(({ inputs }) => inputs.model?.startsWith(`${model}@`))).toHaveLength(1);
    }
    expect(github.count('repos/create-deployment')).toBe(models.length);
    expect(await world.metrics(1)).toMatch(/inbox_jobs\{state="done",kind="comment"\} 5\n/);
    expect(await world.end('SIGTERM', 1)).toBe(0);
    expect(github.violations).toEqual([]);
    expect(world.log.join('\n')).not.toContain('canary-of-postgres');
  });
});
