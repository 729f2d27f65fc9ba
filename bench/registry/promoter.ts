/**
 * One promoting process of the throughput benchmark: `node promoter.ts SPEC`. Promotes as fast as it can for a while,
 * then tells the latency of each promotion in milliseconds, how many were refused, the seconds it took, and its peak
 * memory in MiB.
 */
import { UserError } from '../../src/errors.ts';
import { silentLogger } from '../../src/logger.ts';
import { Registry } from '../../src/registry/registry.ts';
import { promote } from '../../src/rollout/move.ts';
import { Store } from '../../src/store/store.ts';
import { openPlace } from '../../test/registry/races/place.ts';
import { atTheSignal, tell } from '../../test/registry/races/process.ts';
import { peakBytes } from './measure.ts';
import { type Measured, PromoterSpec } from './promoter-spec.ts';

const spec = PromoterSpec.parse(JSON.parse(process.argv[2] ?? ''));
const store = new Store(await openPlace(spec.place));
const registry = new Registry({ store, now: () => new Date(), logger: silentLogger });
await registry.state(spec.model);

await atTheSignal();
const measured: Measured = { latencies: [], refused: 0, seconds: 0, peak: 0 };
const start = performance.now();
const end = start + spec.seconds * 1000;
for (let round = 0; performance.now() < end; round += 1) {
  const began = performance.now();
  try {
    const { status } = await promote(registry, {
      model: spec.model,
      // never the one that serves, so that each is a move; with others at work it may be
      version: 1 + ((spec.client + round) % 2),
      environment: 'staging',
      environments: ['staging'],
      expected_generation: null,
      op_id: `bench-${spec.run}-${spec.client}-${round}`,
      reason: null,
      dry_run: false,
      override: null,
      actor: { name: `promoter-${spec.client}`, via: 'service' },
    });
    if (status === 'committed') measured.latencies.push(performance.now() - began);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    measured.refused += 1;
  }
}
measured.seconds = (performance.now() - start) / 1000;
measured.peak = peakBytes() / 2 ** 20;
tell(measured);
