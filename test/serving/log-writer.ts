/** A process that logs predictions until it is killed: `node log-writer.ts FOLDER STORE`. Says what it flushed. */
import { setTimeout as sleep } from 'node:timers/promises';
import { silentLogger } from '../../src/logger.ts';
import { newId } from '../../src/serving/ids.ts';
import { PredictionLog } from '../../src/serving/prediction-log.ts';
import { openStorage } from '../../src/store/open.ts';
import { engineIn, manifestOf, signature } from './helpers.ts';

const [folder = '', store = ''] = process.argv.slice(2);
const log = await PredictionLog.open({
  folder,
  storage: await openStorage(store),
  engine: engineIn(folder),
  model: 'late',
  environment: 'production',
  logger: silentLogger,
});
for (;;) {
  const now = Date.now();
  const predictionIds = [newId(now), newId(now)];
  log.append({
    predictionIds,
    traceId: 'trace',
    arrivedAtMs: now,
    eventTimes: [now, now],
    rowKeys: undefined,
    version: 1,
    manifest: manifestOf(1),
    generation: 1,
    signature,
    features: { distance: [1, 2], hour: [1, 2], carrier: ['UA', null], holiday: [true, false] },
    output: Float64Array.of(0.1, 0.2),
    latencySeconds: 0.001,
  });
  await log.flush();
  process.stdout.write(`${predictionIds.join('\n')}\n`);
  await sleep(1);
}
