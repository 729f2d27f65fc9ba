import path from 'node:path';
import type { SqlEngine } from '../../src/data/engine.ts';
import { silentLogger } from '../../src/logger.ts';
import { Registry } from '../../src/registry/registry.ts';
import { environmentOf } from '../../src/registry/state.ts';
import { newId } from '../../src/serving/ids.ts';
import { PredictionLog } from '../../src/serving/prediction-log.ts';
import { FileSystemStorage } from '../../src/store/file-system.ts';
import { Store } from '../../src/store/store.ts';
import { signature } from './constant-model.ts';

const days = 28;
const perDay = 70;

/** Predictions of four weeks from 11 February 2024 on in production, as the server logs them. */
export async function logPredictions(
  place: string,
  { model, engine, folder }: { model: string; engine: () => Promise<SqlEngine>; folder: string },
): Promise<void> {
  const storage = new FileSystemStorage(place);
  const registry = new Registry({
    ...{ store: new Store(storage), now: () => new Date(), logger: silentLogger },
  });
  const served = environmentOf(await registry.state(model), 'production');
  const { version, manifest, generation } = served;
  if (version === null || manifest === null) throw new Error('nothing serves');
  const log = await PredictionLog.open({
    ...{ folder: path.join(folder, 'log'), storage, engine, model, environment: 'production' },
    logger: silentLogger,
  });
  for (let day = 0; day < days; day++) {
    const first = Date.UTC(2024, 1, 11 + day);
    const moments = Array.from({ length: perDay }, (_, i) => first + i * 1_200_000);
    const numbers = moments.map((_, i) => day * perDay + i);
    log.append({
      predictionIds: moments.map((moment) => newId(moment)),
      ...{ traceId: 'bench', arrivedAtMs: first + 86_400_000, eventTimes: moments },
      ...{ rowKeys: numbers.map(String), version, manifest, generation, signature },
      features: {
        distance: numbers.map((i) => Math.round(Math.sin(i * 12.9898) * 3000) / 1000),
        weight: numbers.map((i) => ((i * 7919) % 100) / 10),
        colour: numbers.map((i) => ['red', 'green', 'blue'][(i * 31) % 3] ?? null),
      },
      output: Float64Array.from(moments, () => 0.5),
      latencySeconds: 0.001,
    });
  }
  await log.close();
}
