import { expect, it } from 'vitest';
import { type ChaosPlan, type ChaosResult, effectsOf, runChaos } from './chaos.ts';
import { noPostgres, PostgresServer } from './postgres-server.ts';
import { freePort } from './world.ts';

const plan: ChaosPlan = {
  ...{ seed: 7, repositories: 2, models: 5, events: 60, kills: 5, outage: 3_000, faults: 0.06 },
};

it('each command has exactly one effect: copies, any order, kills, lost answers, limits, an outage', {
  timeout: 900_000,
}, async () => {
  const quiet = await runChaos({ ...plan, quiet: true });
  const chaos = await exactlyOnce(plan);
  expect(effectsOf(chaos)).toEqual(effectsOf(quiet));
  expect(chaos.registry).toEqual(quiet.registry);
});

const missing = noPostgres();
it.skipIf(missing !== null)(
  `so it is with two bots on one inbox (${missing ?? 'PostgreSQL'})`,
  {
    timeout: 900_000,
  },
  async () => {
    await using server = await PostgresServer.start(await freePort());
    const shared = { processes: 2, inbox: () => server.database('chaos') };
    await exactlyOnce({ ...plan, repositories: 1, models: 3, events: 15, kills: 2, outage: 1_000, shared });
  },
);

async function exactlyOnce(plan: ChaosPlan): Promise<ChaosResult> {
  const chaos = await runChaos(plan);
  expect(chaos.violations).toEqual([]);
  expect(chaos.killed).toBe(plan.kills);
  for (const { replies, dispatches, deployments, entries } of chaos.ends)
    expect(Math.max(replies, dispatches, deployments, entries)).toBeLessThanOrEqual(1);
  const promotions = chaos.ends.filter(
    ({ comment }) => comment.endsWith('to staging') && !comment.includes('promte'),
  );
  expect(promotions).toHaveLength(plan.repositories * plan.models);
  for (const end of promotions)
    expect(end).toMatchObject({ decision: 'done', replies: 1, dispatches: 1, deployments: 1, entries: 1 });
  return chaos;
}
