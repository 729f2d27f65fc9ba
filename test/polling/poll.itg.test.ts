import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { prepareSources } from '../../src/data/sources.ts';
import { usualTimes } from '../../src/polling/start-once.ts';
import { register } from '../../src/registry/register.ts';
import { runStage, type StageContext } from '../../src/stages/define.ts';
import { ingest } from '../../src/stages/ingest.ts';
import { keys } from '../../src/store/keys.ts';
import type { ManifestKind } from '../../src/store/manifest.ts';
import { openStorage } from '../../src/store/open.ts';
import { storeRun } from '../registry/runs.ts';
import { alice, temporaryFolder } from '../registry/world.ts';
import { bucket, noServer, type S3Server, startS3 } from '../store/servers/s3-server.ts';
import { model, openWorld, type PollWorld } from './world.ts';

const first = ['1,true', '2,false', '3,true'];
const more = [...first, '4,false'];
let made = 0;

/** What any store must keep to. */
function suite(place: () => string) {
  async function begin(): Promise<PollWorld & { store: string }> {
    const world = await openWorld();
    await world.write(first);
    return Object.assign(world, { store: place() });
  }

  it('[TRG-4] many polls at once of the same new data start one run, which says why it runs', async () => {
    await using world = await begin();
    const { server, repository, store } = world;
    const polls = await Promise.all(Array.from({ length: 6 }, () => world.poll(store)));
    const decisions = polls.map(({ outputs }) => outputs.decision).sort();
    expect(decisions).toEqual([...Array(5).fill('known'), 'started']);
    expect(new Set(polls.map(({ outputs }) => outputs.run)).size).toBe(1);
    const { op_id } = polls[0]!.outputs;
    expect(world.runs()).toMatchObject([
      {
        id: Number(polls[0]!.outputs.run),
        headBranch: 'main',
        title: expect.stringContaining(op_id ?? '?'),
        inputs: { sha: repository.head('main'), trigger: 'data', model, config: 'modelgate.yaml' },
      },
    ]);
    expect(server.count('actions/create-workflow-dispatch')).toBe(1);
    expect(server.violations).toEqual([]);
  });

  it('[TRG-4] each new state of the data starts one more; one that comes back starts nothing', async () => {
    await using world = await begin();
    const { store, server } = world;
    const look = async () => (await world.poll(store)).outputs.decision;
    expect(await look()).toBe('started');
    const asked = server.calls.length;
    expect(await look()).toBe('known');
    await world.write([...first].reverse()); // the same rows, written anew
    expect(await look()).toBe('known');
    await world.write(more);
    expect(await look()).toBe('started');
    expect(await look()).toBe('known');
    await world.write(first);
    expect(await look()).toBe('known');
    expect(world.runs()).toHaveLength(2);
    expect(new Set(world.runs().map(({ title }) => title)).size).toBe(2);
    expect(asked).toBeLessThan(10);
    expect(server.violations).toEqual([]);
  });
}

describe('polls over a folder', () => {
  suite(() => path.join(temporaryFolder(), 'store'));

  it.each([502, 'reset'] as const)(
    '[TRG-4] the answer of the dispatch is lost (%s): its run is found',
    async (status) => {
      await using world = await openWorld();
      await world.write(first);
      const store = path.join(temporaryFolder(), 'store');
      world.server.faults.next('actions/create-workflow-dispatch', { kind: 'lose-answer', status });
      expect((await world.poll(store)).outputs).toMatchObject({
        decision: 'started',
        run: String(world.runs()[0]?.id),
      });
      expect((await world.poll(store)).outputs).toMatchObject({
        decision: 'known',
        run: String(world.runs()[0]?.id),
      });
      expect(world.runs()).toHaveLength(1);
      expect(world.server.violations).toEqual([]);
    },
  );

  it.each([
    ['before', 0],
    ['after', 1],
  ] as const)('[TRG-4] killed %s the dispatch had its effect: one run in the end', async (_, started) => {
    await using world = await openWorld();
    await world.write(first);
    const store = path.join(temporaryFolder(), 'store');
    const { server, clock } = world;
    const { child, ended } = world.command(store);
    server.faults.before = async ({ operation }) => {
      if (operation !== 'actions/create-workflow-dispatch' || child.killed) return;
      child.kill('SIGKILL');
      await ended;
    };
    if (started === 0)
      server.faults.next('actions/create-workflow-dispatch', { kind: 'refuse', status: 503 });
    expect((await ended).code).toBeNull();
    await server.idle();
    // its claim stands, so nobody else asks before it is known what came of it
    const young = await world.poll(store, { patience: 300 });
    expect(young).toMatchObject(
      started === 0
        ? { verdict: 'inconclusive', reason_code: 'dispatch_unsettled', outputs: { decision: 'unsettled' } }
        : { verdict: 'pass', outputs: { decision: 'known', run: String(world.runs()[0]?.id) } },
    );
    expect(world.runs()).toHaveLength(started);
    clock.forward(usualTimes.settle);
    await world.poll(store);
    await world.poll(store);
    expect(world.runs()).toHaveLength(1);
    expect(server.violations).toEqual([]);
  });

  it('[TRG-4] data that a version was trained on start nothing', async () => {
    await using world = await openWorld();
    await world.write(first);
    const store = path.join(temporaryFolder(), 'store');
    await using project = await world.open(store);
    const { context } = project;
    await context.store.storage.prepare();
    const sources = await prepareSources({ ...world.sources, store: context.store });
    const ingested = await runStage(ingest, { model, sources }, context);
    await registerTrainedOn(ingested.outputs.dataset ?? '', context);
    expect((await world.poll(store)).outputs).toMatchObject({
      decision: 'registered',
      version: 1,
      run: null,
    });
    expect((await world.poll(store)).outputs).toMatchObject({ decision: 'known', version: 1 });
    await world.write(more);
    expect((await world.poll(store)).outputs.decision).toBe('started');
    expect(world.runs()).toHaveLength(1);
  });

  it('[TRG-4] sources that are files of the commit are left to the run that their push starts', async () => {
    await using world = await openWorld();
    await world.write(first);
    const { git } = world;
    const store = path.join(temporaryFolder(), 'store');
    const plan = async () =>
      JSON.parse((await world.command(store, { args: ['--dry-run'] }).ended).said).decision;
    git('init', '--quiet', '--initial-branch', 'main');
    git('add', '--all');
    git('commit', '--quiet', '--message', 'Data');
    expect(await plan()).toBe('planned'); // no workflow starts by a push
    await world.put({ '.github/workflows/release.yml': 'on: push' });
    expect(await plan()).toBe('planned');
    git('add', '--all');
    git('commit', '--quiet', '--message', 'Release');
    expect(await plan()).toBe('committed');
    await world.write(more); // delivered beside git
    expect(await plan()).toBe('planned');
  });

  it('a dry run says what would happen, and keeps nothing', async () => {
    await using world = await openWorld();
    await world.write(first);
    const folder = temporaryFolder();
    const store = path.join(folder, 'store');
    const { code, said } = await world.command(store, {
      ...{ args: ['--dry-run'], env: { GITHUB_ACTIONS: '' } },
    }).ended;
    expect(code).toBe(0);
    expect(JSON.parse(said)).toMatchObject({
      decision: 'planned',
      verdict: 'pass',
      op_id: null,
      dry_run: true,
    });
    expect(await (await openStorage(folder)).size('store')).toBeNull();
    const outside = await world.command(store, { env: { GITHUB_ACTIONS: '' } }).ended;
    expect(outside.code).toBe(1);
    expect(JSON.parse(outside.said)).toMatchObject({ error: { code: 'usage', where: 'GITHUB_TOKEN' } });
    const person = await world.command(store, { env: { GITHUB_TOKEN: world.server.personalToken('ann') } })
      .ended;
    expect(JSON.parse(person.said)).toMatchObject({ error: { code: 'usage' } });
    expect(world.runs()).toEqual([]);
  });

  it('sources that cannot be read, and a GitHub that does not answer, are said and start nothing', async () => {
    await using world = await openWorld();
    const { server, folder } = world;
    const store = path.join(temporaryFolder(), 'store');
    await mkdir(path.join(folder, 'rows.csv'));
    const unread = await world.command(store).ended;
    expect(unread.code).toBe(1);
    expect(JSON.parse(unread.said)).toMatchObject({
      failure_class: 'data',
      error: { code: 'data_unavailable' },
    });
    await rm(path.join(folder, 'rows.csv'), { recursive: true });
    await writeFile(path.join(folder, 'rows.csv'), '');
    expect(await world.poll(store)).toMatchObject({ verdict: 'error', failure_class: 'data' });
    expect(server.calls).toEqual([]);

    await world.write(first);
    server.faults.outage = true;
    const down = await world.command(store).ended;
    expect(down.code).toBe(1);
    expect(JSON.parse(down.said)).toMatchObject({
      ...{ reason_code: 'github_unavailable', failure_class: 'infrastructure' },
    });
    server.faults.outage = false;
    server.faults.next('actions/create-workflow-dispatch', { kind: 'rate-limit', status: 403, seconds: 60 });
    expect(await world.poll(store)).toMatchObject({ reason_code: 'github_unavailable' });
    expect((await world.poll(store)).outputs.decision).toBe('started');
    expect(world.runs()).toHaveLength(1);
  });

  it('a record that cannot be read stops the poll', async () => {
    await using world = await openWorld();
    await world.write(first);
    const store = path.join(temporaryFolder(), 'store');
    const { digest } = (await world.poll(store)).outputs;
    const record = path.join(store, keys.arrived(model, digest ?? ''));
    expect(JSON.parse(await readFile(record, 'utf8'))).toMatchObject({ schema: 'modelgate.arrival/1' });
    await rm(record);
    await writeFile(record, '{"schema":');
    expect(await world.poll(store)).toMatchObject({ verdict: 'error', reason_code: 'object_damaged' });
  });
});

async function registerTrainedOn(
  dataset: string,
  { store, registry, producer }: StageContext,
): Promise<void> {
  const put = (kind: ManifestKind, inputs: Record<string, string>) =>
    store.putManifest({ kind, files: [], inputs, facts: {}, producer });
  const code = await put('code', {});
  const split = await put('split', { features: await put('features', { dataset, code }) });
  const gate = await storeRun(store, { model: { inputs: { split, code } } });
  await register(registry, { model, gate, actor: alice });
}

const skipped = noServer();
describe.skipIf(skipped !== null)(`polls over S3${skipped === null ? '' : ` (${skipped})`}`, () => {
  let s3: S3Server;
  beforeAll(async () => {
    s3 = await startS3();
    Object.assign(process.env, s3.environment);
  });
  afterAll(() => s3?.stop());
  suite(() => {
    made += 1;
    return `s3://${bucket}/polls-${made}`;
  });
});
