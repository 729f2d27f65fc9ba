import type { Digest } from '../../src/json.ts';
import type { Verdict } from '../../src/outcome.ts';
import type { Manifest, Producer } from '../../src/store/manifest.ts';
import type { Store } from '../../src/store/store.ts';
import { describedModel } from '../evaluation/onnx-writer.ts';

export const producer: Producer = {
  commit: 'c0ffee',
  run: '1',
  attempt: 1,
  trigger: 'push',
  modelgate: '0.1.0',
};

type Part = Partial<Omit<Manifest, 'schema' | 'kind'>>;

/** What to change in the record of a run, by manifest; `without`: files left out of the package. */
export interface Recipe {
  verdict?: Verdict;
  /** Makes this run differ from others. */
  seed?: number;
  rows?: number;
  params?: Record<string, number>;
  model?: Part;
  gate?: Part;
  evaluation?: Part;
  without?: string[];
}

/** Stores the manifests of a whole run as the stages make them; gives the gate's digest. */
export async function storeRun(store: Store, recipe: Recipe = {}): Promise<Digest> {
  const { seed = 0, rows = 1000, verdict = 'pass' } = recipe;
  const put = (kind: Manifest['kind'], part: Part) =>
    store.putManifest({ kind, files: [], inputs: {}, facts: {}, producer, ...part });
  const file = async (name: string, text: string | Buffer) => ({
    name,
    size: Buffer.byteLength(text),
    sha256: await store.putBytes(Buffer.from(text)),
  });
  const window = { from: '2013-01-01', until: '2013-02-01' };
  const snapshot = await put('snapshot', {
    files: [await file('data.parquet', `rows ${rows}`)],
    facts: { rows, window },
  });
  const dataset = await put('dataset', { inputs: { flights: snapshot } });
  const code = await put('code', { files: [await file('train.py', 'print(1)')] });
  const sql = await put('code', { files: [await file('features.sql', 'SELECT 1')] });
  const features = await put('features', { inputs: { dataset, code: sql }, facts: { rows } });
  const split = await put('split', { inputs: { features } });
  const signature = { inputs: [{ name: 'distance', type: 'float32' }], task: 'classification', output: 'p' };
  const files = [
    await file('model.onnx', describedModel(`model ${seed}`)),
    await file('signature.json', JSON.stringify(signature)),
    await file('features.sql', 'SELECT 1'),
  ];
  const candidate = await put('model', {
    files: files.filter(({ name }) => !recipe.without?.includes(name)),
    inputs: { split, code },
    facts: {
      params: recipe.params ?? { depth: 3 },
      seed,
      metrics: { auc: 0.7 },
      environment: { python: '3.13' },
      trained_at: '2026-01-01T00:00:00Z',
    },
    ...recipe.model,
  });
  const evaluation = await put('evaluation', {
    inputs: { model: candidate },
    facts: { rows: 10, evaluation_set: { id: 'june', sha256: 'e'.repeat(64) } },
    ...recipe.evaluation,
  });
  return put('gate', { inputs: { evaluation }, facts: { verdict, metrics: { auc: 0.68 } }, ...recipe.gate });
}
