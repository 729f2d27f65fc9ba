import { describe, expect, it } from 'vitest';
import type { GateScores } from '../../src/monitoring/gate-scores.ts';
import { MonitoringPolicy } from '../../src/monitoring/policy.ts';
import { silentFailureSignals } from '../../src/monitoring/silent-failure.ts';
import { encodeClusters } from '../../src/stats/influence.ts';
import { seededRandom } from '../../src/stats/random.ts';

/** Rows of a model that is right with the given chance, which differs by up to 0.15 from one day to the next. */
function rowsOf(seed: number, { right, days }: { right: number; days: number }) {
  const random = seededRandom(seed);
  const label = new Float64Array(days * 60);
  const prediction = new Float64Array(days * 60);
  const block: string[] = [];
  for (let i = 0, chance = 0; i < label.length; i++) {
    if (i % 60 === 0) chance = right + (random.uniform() - 0.5) * 0.3;
    label[i] = random.uniform() < 0.5 ? 1 : 0;
    prediction[i] = Math.abs((label[i] as number) - (random.uniform() < chance ? 0 : 1));
    block.push(String(Math.floor(i / 60)));
  }
  return { label, prediction, block };
}

const worlds = 200;

/** Share of 200 worlds that alert, where accuracy was 0.85 at the gate (30 days). */
async function alarms(
  served: { right: number; days: number },
  maximum_fall: number | string,
): Promise<number> {
  const policy = MonitoringPolicy.parse({ metric: { name: 'accuracy', minimum_rows: 50 }, maximum_fall });
  let count = 0;
  for (let seed = 0; seed < worlds; seed++) {
    const { label, prediction, block } = rowsOf(2 * seed, { right: 0.85, days: 30 });
    const gate: GateScores = {
      ...{ label, candidate: prediction, clusters: encodeClusters(block), daily: true, metric: null },
    };
    const now = rowsOf(2 * seed + 1, served);
    const group = { ...now, version: 1, keys: [], predictions: now.label.length };
    const [signal] = await silentFailureSignals([group], {
      ...{ policy, task: 'classification', gateOf: async () => gate, service: [] },
    });
    if (signal?.verdict === 'alert') count++;
  }
  return count / worlds;
}

describe('the bound of the fall', () => {
  it.each([
    { days: 14, tolerated: 0.1 },
    { days: 14, tolerated: '11.7647%' },
    { days: 3, tolerated: 0.1 },
    { days: 1, tolerated: 0.1 },
  ])(
    '[MON-5] alerts in few worlds that fell by just what is tolerated: $tolerated over $days days',
    async ({ days, tolerated }) => {
      expect(await alarms({ right: 0.75, days }, tolerated)).toBeLessThanOrEqual(0.08);
    },
  );

  it.each([
    { days: 14, power: 0.9 },
    { days: 3, power: 0.3 },
  ])(
    '[MON-5] finds a fall of 15 points over $days days in at least $power of the worlds',
    async ({ days, power }) => {
      expect(await alarms({ right: 0.7, days }, 0.05)).toBeGreaterThanOrEqual(power);
    },
  );
});
