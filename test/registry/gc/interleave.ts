import { UserError } from '../../../src/errors.ts';
import type { Digest } from '../../../src/json.ts';
import { silentLogger } from '../../../src/logger.ts';
import { decodeEntry } from '../../../src/registry/chain.ts';
import { manifestsOf } from '../../../src/registry/entries.ts';
import { collect } from '../../../src/registry/gc.ts';
import { MarkKeeper } from '../../../src/registry/gc-keeper.ts';
import { register } from '../../../src/registry/register.ts';
import { Registry } from '../../../src/registry/registry.ts';
import { StoreLog } from '../../../src/registry/store-log.ts';
import { promote } from '../../../src/rollout/move.ts';
import { keys, storeLog } from '../../../src/store/keys.ts';
import type { Manifest, Producer } from '../../../src/store/manifest.ts';
import { parseManifest, Store } from '../../../src/store/store.ts';
import { openShared, randomOf, ScheduledStorage, Scheduler, type Shared } from './scheduler.ts';

const hour = 3_600_000;
const grace = 24 * hour;
const actor = { name: 'test', via: 'service' as const };
const producer: Producer = { commit: 'c0ffee', run: '1', attempt: 1, trigger: 'push', modelgate: '0' };
/** What a writer may be told instead of success, when it names what was collected before. */
const refusals = [
  'object_missing',
  'sweeping',
  'lost_race',
  'not_passed',
  'model_unknown',
  'frozen',
  'order',
];

export interface Interleaving {
  seed: number;
  steps: number;
  /** What is named by a log entry, or by a cached result that was just read, and is not there. */
  violations: string[];
  /** Digests swept, entries committed in the models' logs, and marks cancelled. */
  swept: number;
  committed: number;
  cancelled: number;
  refused: number;
  hits: number;
}

/**
 * Uploads, registrations, promotions, cached results and collections at once, over one store in memory, in an order
 * that the seed decides; processes are killed between any two storage calls. Contents come from a small stock, so
 * that what one process uploads is often there already, and often marked.
 */
export async function interleave(seed: number, activities = 30): Promise<Interleaving> {
  const random = randomOf(seed);
  const result: Interleaving = {
    ...{ seed, steps: 0, violations: [], swept: 0, committed: 0, cancelled: 0, refused: 0, hits: 0 },
  };
  const scheduler = new Scheduler({ random, start: Date.parse('2026-01-01'), callTime: grace / 100 });
  const violate = (what: string) => void result.violations.push(`seed ${seed}, ${what}`);
  const shared = await openShared(async (what, key) => {
    const [kind, model] = key.split('/');
    if (what === 'created' && kind === 'log') {
      if (model !== storeLog) result.committed += 1;
      const entry = decodeEntry((await shared.memory.read(key)) ?? Buffer.alloc(0), key).entry;
      if (entry.type === 'gc-cancel') result.cancelled += entry.objects.length;
    }
    if (kind !== 'log' && !(what === 'removed' && /^(objects|manifests)$/.test(kind ?? ''))) return;
    for (const missing of await missingFrom(shared, await rootsOf(shared))) {
      violate(`after ${what} ${key}: ${missing} is missing`);
    }
  });
  const gates: Digest[] = [];
  const open = (process: number) => {
    const storage = new ScheduledStorage(scheduler, process, shared);
    const store = new Store(storage);
    const now = () => new Date(scheduler.time);
    const log = new StoreLog({ storage, now, logger: silentLogger });
    store.guard(new MarkKeeper({ store, log, looks: 3 }));
    const idle = () => scheduler.turn(process, async () => undefined, true);
    return { store, log, registry: new Registry({ store, now, logger: silentLogger }), idle };
  };
  type World = ReturnType<typeof open>;
  const some = <T>(of: readonly T[]) => of[Math.floor(random() * of.length)];

  const work: Record<string, (world: World) => Promise<void>> = {
    train: async ({ store, idle }) => {
      const recipe = { data: Math.floor(random() * 2), seed: Math.floor(random() * 3) };
      const gate = await storeRun(store, recipe, idle);
      await store.writeCache('gate', `${recipe.data}${recipe.seed}`.padEnd(64, '0'), { outputs: { gate } });
      gates.push(gate);
    },
    read: async ({ store, registry }) => {
      const key = `${Math.floor(random() * 2)}${Math.floor(random() * 3)}`.padEnd(64, '0');
      const hit = (await store.readCache('gate', key)) as { outputs: { gate: Digest } } | null;
      if (hit === null) return;
      result.hits += 1;
      for (const missing of await missingFrom(shared, [hit.outputs.gate]))
        violate(`a hit without ${missing}`);
      if (random() < 0.5) await register(registry, { model: 'two', gate: hit.outputs.gate, actor });
    },
    register: async ({ registry }) => {
      const gate = some(gates);
      const model = some(['one', 'two']);
      if (gate !== undefined && model !== undefined) await register(registry, { model, gate, actor });
    },
    promote: async ({ registry }) => {
      const environments = ['staging', 'production'];
      const environment = some(environments) ?? 'staging';
      const rest = { version: null, expected_generation: null, op_id: null, reason: null, dry_run: false };
      await promote(registry, { model: 'one', environment, environments, override: null, actor, ...rest });
    },
    collect: async ({ registry, log, idle }) => {
      const request = { actor, grace, cacheRetention: 2 * grace, takeover: grace / 2, sweepBatch: 3 };
      for (let times = 0; times < 2; times += 1) {
        const { swept } = await collect(registry, log, { ...request, dryRun: false });
        result.swept += swept;
        await idle();
      }
    },
  };
  const drawn = ['train', 'train', 'train', 'read', 'register', 'register', 'promote', 'collect', 'collect'];
  const spawn = () => {
    const kind = some(drawn) ?? 'train';
    scheduler.start(async (process) => {
      try {
        await work[kind]?.(open(process));
      } catch (error) {
        if (error instanceof UserError && refusals.includes(error.code)) result.refused += 1;
        else violate(`${kind} ended with ${error instanceof Error ? error.stack : String(error)}`);
      }
    });
  };
  let resting = true;
  for (let started = 0; started < activities || scheduler.running > 0; ) {
    const room = scheduler.running < 8 && random() < (resting ? 0.7 : 0.02);
    if (started < activities && (scheduler.running === 0 || room)) {
      if (scheduler.running === 0) scheduler.time += Math.floor(random() * 2 * grace);
      spawn();
      started += 1;
    }
    resting = await scheduler.step();
  }
  result.steps = scheduler.steps;
  return result;
}

/** All that a run leaves, as the stages make it; waits as long as it likes between uploads. */
async function storeRun(
  store: Store,
  recipe: { data: number; seed: number },
  idle: () => Promise<unknown>,
): Promise<Digest> {
  const put = (kind: Manifest['kind'], part: Partial<Omit<Manifest, 'schema' | 'kind'>>) =>
    store.putManifest({ kind, files: [], inputs: {}, facts: {}, producer, ...part });
  const file = async (name: string, text: string) => ({
    name,
    size: Buffer.byteLength(text),
    sha256: await store.putBytes(Buffer.from(text)),
  });
  const snapshot = await put('snapshot', { files: [await file('data.parquet', `rows ${recipe.data}`)] });
  const dataset = await put('dataset', { inputs: { source: snapshot } });
  const signature = { inputs: [{ name: 'x', type: 'float32' }], task: 'classification', output: 'p' };
  const files = [
    await file('model.onnx', `model ${recipe.seed}`),
    await file('signature.json', JSON.stringify(signature)),
    await file('features.sql', 'SELECT 1'),
  ];
  await idle();
  const facts = { params: {}, metrics: { auc: 0.7 }, seed: recipe.seed };
  const model = await put('model', { files, inputs: { dataset }, facts });
  await idle();
  const set = { id: 'june', sha256: 'e'.repeat(64) };
  const evaluation = await put('evaluation', { inputs: { model }, facts: { evaluation_set: set } });
  return put('gate', { inputs: { evaluation }, facts: { verdict: 'pass' } });
}

/** What the models' logs name, read past the scheduler. */
async function rootsOf({ memory }: Shared): Promise<Digest[]> {
  const roots: Digest[] = [];
  for await (const { key } of memory.list(keys.logs())) {
    if (key.startsWith(`log/${storeLog}/`)) continue;
    const bytes = await memory.read(key);
    if (bytes !== null) roots.push(...manifestsOf(decodeEntry(bytes, key).entry));
  }
  return roots;
}

/** What these lead to and is not there. */
async function missingFrom({ memory }: Shared, roots: readonly Digest[]): Promise<string[]> {
  const missing: string[] = [];
  const seen = new Set<Digest>();
  const queue = [...roots];
  for (let digest = queue.pop(); digest !== undefined; digest = queue.pop()) {
    if (seen.has(digest)) continue;
    seen.add(digest);
    const bytes = await memory.read(keys.manifest(digest));
    const manifest = bytes === null ? null : parseManifest(bytes);
    if (manifest === null) {
      missing.push(keys.manifest(digest));
      continue;
    }
    for (const { sha256 } of manifest.files) {
      if ((await memory.size(keys.object(sha256))) === null) missing.push(keys.object(sha256));
    }
    queue.push(...Object.values(manifest.inputs));
  }
  return missing;
}
