import { describe, expect, it } from 'vitest';
import { readDriftChecks } from '../../src/site/drift-checks.ts';
import { watch } from '../monitoring/watch.ts';
import { environment, model, world } from '../monitoring/world.ts';

const quick = { policy: { permutations: 199 } };

describe('drift checks of the status page', () => {
  it('are what monitor stored, and a window that was judged again counts once', async () => {
    const bed = await world({ weight: 'weight + 1.5' });
    const { outcome } = await watch(bed, quick);
    await watch(bed, { ...quick, until: '2013-02-03' });
    const { store } = bed.context;
    const { schema: _, ...again } = await store.readManifest(outcome.outputs.drift ?? '', 'drift');
    await store.putManifest({ ...again, producer: { ...again.producer, attempt: 2 } });
    const { byModel, cut } = await readDriftChecks(store, new AbortController().signal);
    const checks = byModel.get(model)?.get(environment) ?? [];
    expect(cut).toBe(false);
    expect(checks.map(({ until, state }) => [until.slice(0, 10), state])).toEqual([
      ['2013-03-01', 'alert'],
      ['2013-02-03', 'not_decidable'],
    ]);
    expect(checks[0]).toMatchObject({
      version: outcome.outputs.version,
      drifted: outcome.outputs.drifted,
      alerts: outcome.outputs.alerts?.length,
    });
  });
});
