import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import fc from 'fast-check';
import remarkGfm from 'remark-gfm';
import remarkParse from 'remark-parse';
import { unified } from 'unified';
import { describe, expect, it, onTestFinished } from 'vitest';
import { lock } from '../../src/registry/locks.ts';
import type { Serving } from '../../src/registry/reconcile.ts';
import { redoCaches } from '../../src/registry/reconcile-caches.ts';
import { promote } from '../../src/rollout/move.ts';
import { runStage } from '../../src/stages/define.ts';
import { reconcile } from '../../src/stages/reconcile.ts';
import { reconcileAlerts } from '../../src/stages/reconcile-alert.ts';
import { keys } from '../../src/store/keys.ts';
import {
  alice,
  contextOf,
  environments,
  model,
  openRegistry,
  promotion,
  registerVersions,
  temporaryFolder,
} from './world.ts';

/** Two versions: 1 then 2 in staging, 1 in production. */
async function filled() {
  const folder = temporaryFolder();
  const registry = openRegistry(folder);
  await registerVersions(registry, 3);
  for (const [version, environment] of [
    [1, 'staging'],
    [1, 'production'],
    [2, 'staging'],
  ] as const) {
    await promote(registry, { ...promotion, version, environment, actor: alice });
  }
  const { versions } = await registry.state(model);
  const digests = versions.map(({ manifest }) => manifest);
  const look = async (observed: unknown, servers: { environment: string; url: string }[] = []) => {
    const file = join(temporaryFolder(), 'seen.json');
    writeFileSync(file, JSON.stringify(observed));
    return runStage(reconcile, { observed: file, servers }, contextOf(registry));
  };
  return { folder, registry, digests, look };
}

function serve(answer: () => { status: number; body: string }): Promise<string> {
  return new Promise((resolve) => {
    const server: Server = createServer((request, response) => {
      const { status, body } = request.url === '/v2/health/ready' ? answer() : { status: 404, body: '' };
      response.writeHead(status, { location: '/elsewhere' }).end(body);
    });
    server.listen(0, '127.0.0.1', () => {
      resolve(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    });
    onTestFinished(() => void server.close());
  });
}

const readiness = (version: number, manifest: string) =>
  JSON.stringify({
    ready: true,
    model,
    environment: 'production',
    serving: { version, manifest, generation: 1 },
  });

describe('registry reconcile', () => {
  it('[REG-5] tells a shadow model, a stale one, a missing one and one as recorded apart', async () => {
    const { digests, look } = await filled();
    const [one, two, three] = digests;
    const at = (where: string, environment: string, rest: object) => ({ where, environment, model, ...rest });
    const judged = async (...seen: object[]) => {
      const { outputs, verdict, reason_code } = await look(seen);
      return { states: outputs.serving?.map(({ state }) => state), verdict, reason_code, outputs };
    };
    expect(
      await judged(at('a', 'production', { digest: one }), at('b', 'staging', { version: 2 })),
    ).toMatchObject({
      ...{ states: ['as_recorded', 'as_recorded'], verdict: 'pass', reason_code: 'done' },
      outputs: { alerts: [] },
    });
    for (const [seen, state] of [
      [at('never promoted', 'production', { digest: three }), 'shadow'],
      [at('only promoted elsewhere', 'production', { digest: two }), 'shadow'],
      [at('unknown package', 'production', { digest: 'f'.repeat(64) }), 'shadow'],
      [at('unknown version', 'production', { version: 9 }), 'shadow'],
      [at('digest and version of two', 'production', { digest: one, version: 2 }), 'shadow'],
      [at('nothing known', 'production', {}), 'shadow'],
      [at('unknown environment', 'canary', { digest: one }), 'shadow'],
      [{ where: 'x', environment: 'production', model: 'notebook' }, 'shadow'],
      [at('before', 'staging', { digest: one }), 'stale'],
      [{ where: 'x', environment: 'production', model: null }, 'missing'],
    ] as const) {
      const found = await judged(seen);
      expect(found.states?.[0], seen.where).toBe(state);
      expect(found, seen.where).toMatchObject({ verdict: 'inconclusive', reason_code: 'serving_differs' });
      expect(found.outputs.alerts, seen.where).not.toEqual([]);
    }
  });

  it('[REG-5] misses a model that should serve in an environment that was looked at', async () => {
    const { registry } = await filled();
    const seen = { where: 'x', environment: 'production', model: 'notebook', version: 1 };
    const file = join(temporaryFolder(), 'seen.json');
    writeFileSync(file, JSON.stringify([seen]));
    const { outputs } = await runStage(reconcile, { observed: file, model }, contextOf(registry));
    expect(outputs.serving).toMatchObject([
      { model: 'notebook', state: 'shadow' },
      { model, state: 'missing', recorded: { version: 1 } },
    ]);
    const prints = outputs.alerts?.map(({ fingerprint }) => fingerprint);
    expect(prints).toEqual(['notebook/production/serving_differs', `${model}/production/serving_differs`]);
  });

  it('asks servers, and takes their answers for a stranger’s', async () => {
    const { digests, look } = await filled();
    let answer = { status: 200, body: readiness(1, digests[0] ?? '') };
    const url = await serve(() => answer);
    const state = async () => (await look([], [{ environment: 'production', url }])).outputs.serving?.[0];
    expect(await state()).toMatchObject({ state: 'as_recorded', where: url });
    answer = { status: 200, body: readiness(3, digests[2] ?? '') };
    expect(await state()).toMatchObject({ state: 'shadow' });
    answer = { status: 503, body: JSON.stringify({ model, environment: 'production', serving: null }) };
    expect(await state()).toMatchObject({ state: 'missing' });
    for (const [status, body] of [
      [200, '{'],
      [200, '{}'],
      [200, JSON.stringify({ model: 1, environment: 'production', serving: null })],
      [200, '['.repeat(100_000)],
      [500, readiness(1, digests[0] ?? '')],
      [200, readiness(1, digests[0] ?? '').replace('production', 'staging')],
      [302, ''],
    ] as const) {
      answer = { status, body };
      expect(await state(), body.slice(0, 30)).toMatchObject({ state: 'unreachable' });
    }
    const nobody = await look([], [{ environment: 'production', url: 'http://127.0.0.1:1' }]);
    expect(nobody).toMatchObject({ verdict: 'inconclusive', reason_code: 'not_decidable' });
    expect(nobody.outputs.alerts).toEqual([]);
  });

  it('refuses a file that is no list of what was seen', async () => {
    const { look, registry } = await filled();
    for (const wrong of [{}, 1, [{}], [{ where: 'x', environment: '../x', model }], [{ where: 'x' }]]) {
      expect(await look(wrong)).toMatchObject({ verdict: 'error', reason_code: 'usage' });
    }
    for (const missing of ['/none/seen.json', '.', `${import.meta.filename}/x`, 'x'.repeat(300)]) {
      expect(await runStage(reconcile, { observed: missing }, contextOf(registry))).toMatchObject({
        reason_code: 'usage',
        error: { where: missing },
      });
    }
    expect(await look([])).toMatchObject({ verdict: 'pass', reason_code: 'nothing_to_do' });
  });

  it('redoes what a crash left undone, once', async () => {
    const { folder, registry } = await filled();
    const held = { model, environment: 'staging', environments, op_id: null, reason: null, ttl: null };
    for (let seq = (await registry.state(model)).seq; seq < 205; seq += 1) {
      await lock(registry, { ...held, actor: alice });
    }
    expect(await redoCaches(openRegistry(folder), model)).toEqual([]);
    const before = readdirSync(join(folder, 'checkpoints', model));
    rmSync(join(folder, keys.head(model)));
    for (const name of before) rmSync(join(folder, 'checkpoints', model, name));
    expect(await redoCaches(openRegistry(folder), model)).toHaveLength(2);
    expect(await redoCaches(openRegistry(folder), model)).toEqual([]);
    writeFileSync(join(folder, keys.head(model)), '{}');
    expect(await redoCaches(openRegistry(folder), model)).toEqual([keys.head(model)]);
    rmSync(join(folder, keys.log(model, 205)));
    await expect(redoCaches(openRegistry(folder), model), 'the only witness stays').rejects.toMatchObject({
      code: 'log_damaged',
    });
  });

  it('tells what other models serve when one log is damaged', async () => {
    const { folder, registry, digests, look } = await filled();
    await registry.store.storage.create(keys.log('broken', 1), Buffer.from('{}'));
    const at = { where: 'x', environment: 'production' };
    const seen = [
      { ...at, model, digest: digests[2] },
      { ...at, model: 'broken', version: 1 },
    ];
    expect(await look(seen)).toMatchObject({
      ...{ verdict: 'fail', reason_code: 'log_damaged' },
      outputs: {
        serving: [{ state: 'shadow' }, { state: 'unreachable' }],
        problems: [{ model: 'broken', code: 'log_damaged' }],
        alerts: [{ fingerprint: `${model}/production/serving_differs` }],
      },
    });
    rmSync(join(folder, keys.log(model, (await registry.state(model)).seq)));
    const { outputs } = await runStage(reconcile, { model }, contextOf(openRegistry(folder)));
    expect(outputs.problems?.map((one) => one.model)).toEqual(['broken', model]);
  });

  it('writes an issue that no name from outside can break', () => {
    const parser = unified().use(remarkParse).use(remarkGfm);
    const kinds = (node: { type: string; children?: unknown[] }): string[] => [
      node.type,
      ...(node.children ?? []).flatMap((child) => kinds(child as { type: string })),
    ];
    const plain: Serving = {
      where: 'host-1',
      environment: 'production',
      model,
      digest: null,
      version: null,
      recorded: null,
      state: 'shadow',
      reason: 'r',
    };
    const expected = kinds(parser.parse(reconcileAlerts([plain])[0]?.body ?? ''));
    const hostile = fc.oneof(
      fc.string({ minLength: 1, unit: 'binary' }),
      fc.constantFrom('--><script>', '|', '[x](http://y)', '@all', '#1', '`', '\n# x', '\\|', '<!--'),
    );
    fc.assert(
      fc.property(hostile, hostile, (where, name) => {
        const [alert] = reconcileAlerts([{ ...plain, where, model: name }]);
        const found = kinds(parser.parse(alert?.body ?? ''));
        expect(found.filter((kind) => !['text', 'inlineCode'].includes(kind))).toEqual(
          expected.filter((kind) => !['text', 'inlineCode'].includes(kind)),
        );
      }),
      { seed: 5, numRuns: 200 },
    );
  });
});
