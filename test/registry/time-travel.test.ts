import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UserError } from '../../src/errors.ts';
import type { LogEntry } from '../../src/registry/entries.ts';
import { lock, retire, unlock } from '../../src/registry/locks.ts';
import type { Registry } from '../../src/registry/registry.ts';
import { promote, rollback } from '../../src/rollout/move.ts';
import { runStage } from '../../src/stages/define.ts';
import { status } from '../../src/stages/status.ts';
import { statusAll } from '../../src/stages/status-all.ts';
import { MemoryStorage } from '../store/memory-storage.ts';
import { registryOver } from './long-log.ts';
import { alice, bob, Clock, contextOf, model, promotion, registerVersions } from './world.ts';

const environments = ['staging', 'canary', 'production'];
const environment = fc.constantFrom(...environments);
const version = fc.integer({ min: 1, max: 3 });
/** Clocks of several machines: mostly forwards, at times back by up to hours, at times standing still. */
const wait = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: 1, max: 3_600_000 }) },
  { weight: 1, arbitrary: fc.integer({ min: -7_200_000, max: 0 }) },
);
const action = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ type: fc.constant('promote' as const), version, environment, wait }),
  },
  { weight: 3, arbitrary: fc.record({ type: fc.constant('rollback' as const), environment, wait }) },
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constant('lock' as const),
      environment,
      ttl: fc.option(fc.integer({ min: 1, max: 7_200_000 })),
      wait,
    }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('unlock' as const), environment, wait }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('retire' as const), version, wait }) },
);
type Action = typeof action extends fc.Arbitrary<infer T> ? T : never;

async function act(registry: Registry, action: Action): Promise<void> {
  const common = { model, environments, op_id: null, reason: null, actor: alice };
  const move = { ...promotion, environments, actor: bob };
  switch (action.type) {
    case 'promote':
      await promote(registry, { ...move, version: action.version, environment: action.environment });
      return;
    case 'rollback':
      await rollback(registry, { ...move, environment: action.environment, to: null });
      return;
    case 'lock':
      await lock(registry, { ...common, environment: action.environment, ttl: action.ttl });
      return;
    case 'unlock':
      await unlock(registry, { ...common, environment: action.environment, force: false });
      return;
    case 'retire':
      await retire(registry, { ...common, version: action.version });
  }
}

/** What a reader of the log writes down with pencil and paper, up to a moment. */
function replay(log: readonly LogEntry[], time: number) {
  const told = new Map<string, { version: number | null; generation: number; since: string | null }>();
  const locks = new Map<string, number>();
  let seq = 0;
  let versions = 0;
  for (const entry of log) {
    if (Date.parse(entry.at) > time) break;
    seq = entry.seq;
    if (entry.type === 'register') versions += 1;
    if (entry.type === 'promote' || entry.type === 'rollback') {
      const { generation, version, at, environment } = entry;
      told.set(environment, { version, generation, since: at });
    }
    if (entry.type === 'lock' || entry.type === 'unlock') {
      const { environment } = entry;
      if (!told.has(environment)) told.set(environment, { version: null, generation: 0, since: null });
      if (entry.type === 'unlock') locks.delete(environment);
      else locks.set(environment, entry.until === null ? Infinity : Date.parse(entry.until));
    }
  }
  const environments = [...told]
    .map(([name, one]) => ({ environment: name, ...one, locked: (locks.get(name) ?? -Infinity) > time }))
    .sort((a, b) => (a.environment < b.environment ? -1 : 1));
  return { seq, versions, environments };
}

describe('time travel', () => {
  it('[REG-3] status --at is the replay of the log to that moment, whatever happened and whatever the clocks did', {
    timeout: 60_000,
  }, async () => {
    let backwards = 0;
    let locked = 0;
    const types = new Set<string>();
    await fc.assert(
      fc.asyncProperty(fc.array(action, { minLength: 8, maxLength: 25 }), async (actions) => {
        const clock = new Clock('2013-05-03T00:00:00.000Z');
        const registry = registryOver(await MemoryStorage.open(), clock.now);
        await registerVersions(registry, 3);
        for (const one of actions) {
          clock.forward(one.wait);
          await act(registry, one).catch((error: unknown) => {
            if (!(error instanceof UserError)) throw error;
          });
        }
        const log = (await registry.entries(model)).map(({ entry }) => entry);
        for (const { type } of log) types.add(type);
        const times = log.map(({ at }) => Date.parse(at));
        backwards += times.filter((time, index) => time < (times[index - 1] ?? 0)).length;
        const moments = new Set(times.flatMap((time) => [time - 1, time, time + 1, time + 1_800_000]));
        moments.add(times[0]! - 86_400_000).add(Math.max(...times) + 86_400_000);
        // a moment that has not come is refused
        clock.time = Math.max(...times) + 2 * 86_400_000;
        for (const moment of moments) {
          const at = new Date(moment).toISOString();
          const { outputs } = await runStage(status, { model, at }, contextOf(registry));
          const told = (outputs.environments ?? []).map((one) => {
            locked += one.lock === null ? 0 : 1;
            const { environment, version, generation, since } = one;
            return { environment, version, generation, since, locked: one.lock !== null };
          });
          told.sort((a, b) => (a.environment < b.environment ? -1 : 1));
          const { seq, versions } = outputs;
          expect({ seq, versions, environments: told }).toEqual(replay(log, moment));
        }
      }),
      { numRuns: 12, seed: 5 },
    );
    expect(backwards).toBeGreaterThan(5);
    expect(locked).toBeGreaterThan(5);
    expect([...types].sort()).toEqual(
      ['evaluate', 'lock', 'promote', 'register', 'retire', 'rollback', 'unlock'].sort(),
    );
  });

  it('[REG-3] says in one line what served on 3 May at 14:00', async () => {
    const clock = new Clock('2013-05-03T09:00:00.000Z');
    const registry = registryOver(await MemoryStorage.open(), clock.now);
    await registerVersions(registry, 2);
    for (const [hours, version] of [
      [1, 1],
      [7, 2],
    ] as const) {
      clock.time = Date.parse('2013-05-03T09:00:00.000Z') + hours * 3_600_000;
      for (const environment of ['staging', 'production']) {
        await promote(registry, { ...promotion, environment, version, actor: alice });
      }
    }
    const { summary } = await runStage(status, { model, at: '2013-05-03T14:00Z' }, contextOf(registry));
    expect(summary).toBe(
      'At 2013-05-03 14:00 UTC, of flights-late: version 1 in staging since 2013-05-03 10:00 UTC, version 1 in production since 2013-05-03 10:00 UTC.',
    );
    for (const at of ['2013-02-31T25:00Z', '2013-02-30', '2013-02-30T10:00Z', '2012-13-01']) {
      const wrong = await runStage(status, { model, at }, contextOf(registry));
      expect(wrong).toMatchObject({ verdict: 'error', reason_code: 'usage', error: { where: '--at' } });
    }
  });

  it('[REG-3] refuses a moment that has not come, of one model and of all', async () => {
    const clock = new Clock('2013-05-03T09:00:00.000Z');
    const registry = registryOver(await MemoryStorage.open(), clock.now);
    await registerVersions(registry, 1);
    const later = { at: '2013-05-03T09:00:01Z' };
    for (const told of [
      await runStage(status, { model, ...later }, contextOf(registry)),
      await runStage(statusAll, later, contextOf(registry)),
    ]) {
      expect(told).toMatchObject({ reason_code: 'usage', error: { where: '--at' } });
      expect(told.error?.message).toContain('has not come');
    }
    const now = await runStage(status, { model, at: '2013-05-03T09:00Z' }, contextOf(registry));
    expect(now).toMatchObject({ verdict: 'pass', outputs: { versions: 1 } });
  });

  it('tells all models at once, now and then, and one damaged log hides no other', async () => {
    const clock = new Clock('2013-05-03T09:00:00.000Z');
    const storage = await MemoryStorage.open();
    const registry = registryOver(storage, clock.now);
    await registerVersions(registry, 1);
    clock.forward(3_600_000);
    await promote(registry, { ...promotion, version: 1, actor: alice });
    await storage.create('log/broken/000000000001.json', Buffer.from('{}'));
    await storage.create('log/STRAY/000000000001.json', Buffer.from('{}'));
    const ask = (at: string | null) => runStage(statusAll, { at }, contextOf(registryOver(storage)));
    const now = await ask(null);
    expect(now).toMatchObject({ verdict: 'fail', reason_code: 'log_damaged' });
    expect(now.outputs.models).toMatchObject([
      { model: 'broken', problem: { code: 'log_damaged' } },
      { model, versions: 1, problem: null, environments: [{ environment: 'staging', version: 1 }] },
    ]);
    const then = await ask('2013-05-03T09:30Z');
    expect(then.outputs.models?.[1]).toMatchObject({ versions: 1, environments: [] });
  });
});
