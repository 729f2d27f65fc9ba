import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { openDuckDb } from '../../src/data/duckdb.ts';
import { sha256 } from '../../src/json.ts';
import { Registry } from '../../src/registry/registry.ts';
import type { StageContext } from '../../src/stages/define.ts';
import type { Manifest } from '../../src/store/manifest.ts';
import { openStorage } from '../../src/store/open.ts';
import { Store } from '../../src/store/store.ts';
import { RecordingLogger, temporaryFolder } from '../serving/helpers.ts';

export const model = 'flights-late';
const fixtures = path.join(import.meta.dirname, '../fixtures/serving');
const actor = { name: 'tester', via: 'cli' as const };

/** A store with a whole lineage made by hand around the tiny ONNX models of test/fixtures/serving. */
export async function lineageBed() {
  const temporary = await temporaryFolder();
  const { folder } = temporary;
  const store = new Store(await openStorage(path.join(folder, 'store')));
  const logger = new RecordingLogger();
  const registry = new Registry({ store, now: () => new Date(), logger });
  const stop = new AbortController();
  const context: StageContext = {
    store,
    registry,
    engine: (options) =>
      openDuckDb({ workDirectory: path.join(folder, 'work'), signal: stop.signal, ...options }),
    logger,
    signal: stop.signal,
    now: () => new Date(),
    producer: producer('test'),
    actor,
    workDirectory: path.join(folder, 'work'),
    cacheDirectory: path.join(folder, 'cache'),
  };
  await mkdir(context.workDirectory, { recursive: true });

  async function put(
    kind: Manifest['kind'],
    manifest: Partial<Manifest> & { content?: Record<string, string> },
  ) {
    const files = await Promise.all(
      Object.entries(manifest.content ?? {}).map(async ([name, file]) => {
        const stored = await store.putFile(file);
        return { name, ...stored };
      }),
    );
    const { inputs = {}, facts = {}, producer: made = producer(kind) } = manifest;
    return store.putManifest({ kind, files, inputs, facts, producer: made });
  }
  async function text(name: string, content: string) {
    const file = path.join(folder, name);
    await writeFile(file, content);
    return file;
  }

  /** Trains nothing: puts a model package with all that it was made from. Keys: first … last. */
  async function train(version: 1 | 2, keys: { first: number; last: number }) {
    const engine = await openDuckDb({ workDirectory: context.workDirectory });
    const part = async (name: string, first: number, last: number) => {
      const file = path.join(folder, `${name}-${version}.parquet`);
      await engine.writeParquet(
        `SELECT 'UA-' || i AS flight FROM range(${first}, ${last + 1}) AS t(i)`,
        file,
      );
      return file;
    };
    const snapshot = (source: string) =>
      put('snapshot', {
        facts: {
          rows: keys.last,
          window: { from: '2013-01-01', until: `2013-0${version + 1}-01` },
          newest: source,
        },
      });
    const snapshots = { flights: await snapshot('flights'), weather: await snapshot('weather') };
    const dataset = await put('dataset', { inputs: snapshots });
    const features = await put('features', { inputs: { dataset }, facts: { rows: keys.last } });
    const split = await put('split', {
      inputs: { features },
      content: {
        'train.parquet': await part('train', keys.first, keys.last - 1),
        'validation.parquet': await part('validation', keys.last, keys.last),
      },
    });
    const code = await put('code', { content: { 'train.py': await text('train.py', 'pass') } });
    const signature = {
      inputs: [
        { name: 'distance', type: 'float32' },
        { name: 'hour', type: 'float32' },
        { name: 'carrier', type: 'string' },
      ],
      task: 'classification',
      output: 'probabilities',
    };
    const onnx = path.join(folder, `model-${version}.onnx`);
    await copyFile(path.join(fixtures, `version-${version}.onnx`), onnx);
    const manifest = await put('model', {
      inputs: { split, code },
      producer: { ...producer(`run-${version}`), commit: String(version).repeat(40) },
      facts: { rows: keys.last - keys.first, trained_at: '2026-01-01T00:00:00Z' },
      content: {
        'model.onnx': onnx,
        'signature.json': await text('signature.json', JSON.stringify(signature)),
        'feature-definition.json': await text(
          'definition.json',
          JSON.stringify({ key: 'flight', label: 'late' }),
        ),
      },
    });
    await engine.close();
    return { manifest, split, dataset, snapshots };
  }

  let generation = 0;
  const commit = async (intent: Record<string, unknown>) => {
    const op_id = `op-${Math.random().toString(36).slice(2)}`;
    await registry.commit({
      model,
      op_id,
      matches: () => false,
      decide: () => ({ op_id, actor, ...intent }) as never,
    });
  };
  const register = (version: number, manifest: string) =>
    commit({ type: 'register', version, manifest, gate: sha256(`gate ${version}`), verdict: 'pass' });
  const move = (
    type: 'promote' | 'rollback',
    to: { version: number; manifest: string; from: number | null },
  ) => {
    generation += 1;
    return commit({ type, environment: 'production', generation, ...to });
  };

  return { ...temporary, context, store, registry, logger, stop, train, register, move };
}

function producer(run: string) {
  return { commit: null, run, attempt: 1, trigger: 'manual', modelgate: 'test' };
}
