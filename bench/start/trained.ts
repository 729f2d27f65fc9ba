import { createHash } from 'node:crypto';
import { cp, readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { openDuckDb } from '../../src/data/duckdb.ts';
import type { SqlEngine } from '../../src/data/engine.ts';
import { FileSystemStorage } from '../../src/store/file-system.ts';
import type { Prepared } from '../../test/packaging/prepared.ts';
import { constantScript } from './constant-model.ts';
import { logPredictions } from './served.ts';

/** Where an action runs. */
export type Place = Pick<Prepared, 'workspace' | 'store'>;

/** The small repository with a model that was really trained, by actions, and predictions of it. */
export interface Trained {
  /** Version 1 is in production, with four weeks of predictions. `candidate.yaml` was never run. */
  served: Place;
  /** As above, and the candidate is trained. */
  candidate: Place;
}

/** Runs one action on a copy of a store; gives the store as it left it. */
export type RunAction = (
  place: Place,
  action: { entry: string; inputs: Record<string, string>; env?: Record<string, string> },
) => Promise<string>;

/** Fills a folder from the prepared repository: its rows before February train, the rest evaluates. */
export async function prepareTrained(
  folder: string,
  { prepared, runAction }: { prepared: Prepared; runAction: RunAction },
): Promise<Trained> {
  const workspace = path.join(folder, 'repository');
  const file = (name: string) => path.join(workspace, name);
  await cp(prepared.workspace, workspace, { recursive: true });
  await rename(file('modelgate.yaml'), file('orders.yaml'));
  await writeFile(file('train.py'), constantScript());
  const work = path.join(folder, 'work');
  const engine = () => openDuckDb({ workDirectory: work });
  await writeFile(file('modelgate.yaml'), configuration(await writeEvaluationSet(workspace, await engine())));
  await writeFile(file('candidate.yaml'), 'extends: modelgate.yaml\ntrain: { seed: 6 }\n');

  let place: Place = { workspace, store: path.join(folder, 'empty') };
  await new FileSystemStorage(place.store).prepare();
  for (const [entry, inputs] of [
    ['run', {}],
    ['promote', { model: `${prepared.model}@1`, to: 'staging' }],
    ['promote', { model: `${prepared.model}@1`, to: 'production' }],
  ] as const) {
    place = { workspace, store: await runAction(place, { entry, inputs }) };
  }
  await logPredictions(place.store, { model: prepared.model, engine, folder: work });
  const inputs = { config: 'candidate.yaml' };
  return {
    served: place,
    candidate: { workspace, store: await runAction(place, { entry: 'train', inputs }) },
  };
}

const configuration = (sha256: string) => `extends: orders.yaml
data: { window: { until: 2024-02-01 } }
evaluation: { file: late.parquet, sha256: ${sha256}, window: { from: 2024-02-01 } }
gate: { floors: [{ metric: auc, min: 0.4 }] }
`;

async function writeEvaluationSet(workspace: string, engine: SqlEngine): Promise<string> {
  try {
    await engine.addFile('orders', path.join(workspace, 'orders.csv'));
    const file = path.join(workspace, 'late.parquet');
    await engine.writeParquet("SELECT id, late FROM orders WHERE placed >= '2024-02-01' ORDER BY id", file);
    return createHash('sha256')
      .update(await readFile(file))
      .digest('hex');
  } finally {
    await engine.close();
  }
}
