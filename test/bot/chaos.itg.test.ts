import { expect, it } from 'vitest';
import { type ChaosPlan, effectsOf, runChaos } from './chaos.ts';

const plan: ChaosPlan = {
  ...{ seed: 7, repositories: 2, models: 5, events: 60, kills: 5, outage: 3_000, faults: 0.06 },
};

it('each command has exactly one effect: copies, any order, kills, lost answers, limits, an outage', {
  timeout: 900_000,
}, async () => {
  const quiet = await runChaos({ ...plan, quiet: true });
  const chaos = await runChaos(plan);
  expect(chaos.violations).toEqual([]);
  expect(chaos.killed).toBe(plan.kills);
  expect(effectsOf(chaos)).toEqual(effectsOf(quiet));
  expect(chaos.registry).toEqual(quiet.registry);
  const promotions = chaos.ends.filter(
    ({ comment }) => comment.endsWith('to staging') && !comment.includes('promte'),
  );
  expect(promotions).toHaveLength(10);
  for (const end of promotions)
    expect(end).toMatchObject({ decision: 'done', replies: 1, dispatches: 1, deployments: 1, entries: 1 });
});
