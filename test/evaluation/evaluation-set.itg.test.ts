import path from 'node:path';
import { expect, it } from 'vitest';
import { declareSet, joinFeatures } from '../../src/evaluation/evaluation-set.ts';
import { writePredictions } from '../../src/evaluation/write-predictions.ts';
import { openEngine, temporaryFolder } from '../gate/world.ts';

it('carries columns of any name, and none in the place of ours', async () => {
  const engine = await openEngine();
  const folder = temporaryFolder();
  await engine.execute(
    `CREATE VIEW made AS SELECT 'k' || range AS id, range % 2 AS late, 100 + range AS position, 0.5 AS "Prediction",
       'c' AS candidate FROM range(4)`,
  );
  const columns = { key: 'id', label: 'late' };
  const set = await declareSet({ engine, file: 'made', view: 'pinned', columns, task: 'classification' });
  expect(set.others).toEqual(['position']);
  await engine.execute(
    "CREATE VIEW kept AS SELECT 3 - range AS modelgate_position, 'v' || (3 - range) AS word, 'x' AS prediction FROM range(4)",
  );
  const file = path.join(folder, 'predictions.parquet');
  await writePredictions({
    engine,
    set: { view: 'pinned', others: set.others, cluster: false },
    task: 'classification',
    candidate: Float64Array.of(0.1, 0.2, 0.3, 0.4),
    champion: null,
    kept: { view: 'kept', names: ['word', 'prediction'] },
    scratch: path.join(folder, 'predictions.csv'),
    file,
  });
  await engine.addFile('written', file);
  expect(await engine.rows('SELECT * FROM written')).toEqual(
    [0, 1, 2, 3].map((i) => ({
      key: `k${i}`,
      label: i % 2,
      candidate: [0.1, 0.2, 0.3, 0.4][i],
      position: 100 + i,
      word: `v${i}`,
    })),
  );
  await engine.execute(`CREATE VIEW features AS SELECT id, late, position AS "Modelgate_Position" FROM made`);
  const joined = { engine, set: 'pinned', features: 'features', view: 'joined', key: 'id', label: 'late' };
  await expect(joinFeatures(joined)).rejects.toMatchObject({ code: 'config_invalid' });
});
