import { type CheckInput, check } from '../../src/gate/check.ts';
import { silentLogger } from '../../src/logger.ts';
import { encodeEntry } from '../../src/registry/chain.ts';
import { Registry } from '../../src/registry/registry.ts';
import { keys } from '../../src/store/keys.ts';
import type { Manifest } from '../../src/store/manifest.ts';
import type { Storage } from '../../src/store/storage.ts';
import { Store } from '../../src/store/store.ts';
import { LogWriter } from '../registry/delivery-world.ts';
import { producer } from '../registry/runs.ts';

/** Names and texts as an attacker, or an untidy table, would have them. */
export const hostile = `"><script>alert(1)</script><img src=x onerror=alert(2)>\u202e' & co`;
export const longName = `m${'-very-long-model-name'.repeat(2)}-without-an-end-1234`;
const longColumn = `rolling_mean_of_the_arrival_delay_${'of_the_same_carrier_'.repeat(4)}7d`;
export const now = new Date('2026-11-20T09:30:00Z');
const day = 86_400;
const digest = 'a'.repeat(64);

export class SiteWorld {
  readonly store: Store;
  readonly registry: Registry;

  constructor(storage: Storage) {
    this.store = new Store(storage);
    this.registry = new Registry({ store: this.store, now: () => now, logger: silentLogger });
  }

  put(kind: Manifest['kind'], part: Partial<Omit<Manifest, 'schema' | 'kind'>>): Promise<string> {
    return this.store.putManifest({ kind, files: [], inputs: {}, facts: {}, producer, ...part });
  }

  /** The package and the gate's result of one version, in the store. */
  async version(
    seed: string,
    metric: Partial<CheckInput> | null,
    facts: { trained_at?: string; reasons?: string[] } = {},
  ): Promise<{ manifest: string; gate: string }> {
    const { trained_at, reasons = [] } = facts;
    const manifest = await this.put('model', { facts: { seed, trained_at: trained_at ?? null } });
    const result = {
      rows: 20_000,
      evaluation_set: { id: hostile },
      reasons,
      checks: metric === null ? [] : [check({ ...usualMetric, ...metric })],
    };
    const bytes = Buffer.from(JSON.stringify(result));
    const files = [{ name: 'gate.json', size: bytes.length, sha256: await this.store.putBytes(bytes) }];
    return { manifest, gate: await this.put('gate', { files, facts: { seed } }) };
  }

  async drift(facts: {
    model: string;
    until: string;
    version: number;
    environment?: string;
    drifted?: string[];
    alerts?: string[];
    reason_code?: string;
  }): Promise<string> {
    const since = new Date(Date.parse(facts.until) - 7 * day * 1000).toISOString();
    return this.put('drift', {
      facts: { environment: 'production', drifted: [], alerts: [], since, ...facts },
    });
  }

  async keep(model: string, log: LogWriter): Promise<void> {
    for (const { entry } of log.placed)
      await this.store.storage.create(keys.log(model, entry.seq), encodeEntry(entry).bytes);
  }
}

const usualMetric = {
  ...{ id: 'metric:auc', kind: 'metric', title: 'AUC', effect: 'blocks', verdict: 'pass', reason: 'fine' },
  ...{ champion: 0.731, candidate: 0.74, diff: 0.009, low: 0.002, high: 0.016, margin: 0.01 },
} as const satisfies CheckInput;

/** A store with models in every state that the pages tell of. */
export async function fullWorld(storage: Storage): Promise<SiteWorld> {
  const world = new SiteWorld(storage);
  await busyModel(world);
  await world.keep('diamonds', await quietModel(world));
  await world.keep(longName, await quietModel(world));
  const blocked = new LogWriter('2026-11-02T10:00:00Z');
  const gate = await world.version(
    'blocked',
    { title: hostile, verdict: 'fail', diff: -0.05, low: -0.07, high: -0.03 },
    { reasons: [hostile] },
  );
  blocked.register('blocked', 'fail', 'block', gate);
  await world.keep('never-passed', blocked);
  await world.keep('broken', blocked);
  await world.store.storage.replace(keys.log('broken', 1), Buffer.from('{}'));
  return world;
}

async function quietModel(world: SiteWorld): Promise<LogWriter> {
  const log = new LogWriter('2026-06-01T08:00:00Z');
  const made = await world.version('quiet', null, { trained_at: '2026-06-01T06:00:00Z' });
  log.register('quiet', 'pass', 'block', made).manifest;
  log.wait(3600).promote(1, 'staging');
  log.wait(5 * day).promote(1);
  return log;
}

/** Eleven months of a model that is worked on, with rollbacks, an override, drills and drift. */
async function busyModel(world: SiteWorld): Promise<void> {
  const model = 'flights-late';
  const log = new LogWriter('2026-01-05T09:00:00Z');
  for (let number = 1; number <= 24; number += 1) {
    const diff = Math.round(1000 * (0.012 * Math.sin(number * 2.1) + 0.004)) / 1000;
    const verdict = diff < -0.004 ? 'fail' : number === 21 ? 'inconclusive' : 'pass';
    const at = log.at;
    const made = await world.version(
      `busy ${number}`,
      { diff, low: diff - 0.006, high: diff + 0.006, candidate: 0.73 + diff, verdict },
      {
        trained_at: new Date(at.getTime() - 3_600_000 * (1 + (number % 3))).toISOString(),
        reasons: [`AUC fell by ${-diff}; the margin is 0.01. ${number === 9 ? hostile : ''}`],
      },
    );
    log.register(`busy ${number}`, verdict, 'block', made);
    if (verdict !== 'fail') {
      log.wait(7200).promote(number, 'staging', verdict !== 'pass');
      log.hand = number % 4 === 0 ? { actor: { name: 'ann', via: 'bot' }, reason: hostile } : pipeline;
      if (number % 3 !== 2 || number === 21)
        log.wait(day * 1.3).promote(number, 'production', verdict !== 'pass');
      log.hand = { actor: { name: hostile.slice(0, 90), via: 'bot' }, reason: hostile };
      if (number === 10 || number === 19) log.wait(2.4 * day).rollback(number - 3);
    }
    if (number > 20) {
      const { version } = log.serving('staging');
      log.wait(day).rollback(version - 3, 'staging', `drill-${number}-1-back`);
      if (number !== 23) log.wait(70).rollback(version, 'staging', `drill-${number}-1-restore`);
    }
    log.wait(10 * day);
  }
  log.add({
    type: 'lock',
    environment: 'staging',
    owner: hostile,
    until: null,
    actor: { name: 'ann', via: 'cli' },
    op_id: 'lock',
    reason: hostile,
  });
  await world.keep(model, log);
  const { version } = log.serving('production');
  for (let week = 0; week < 26; week += 1) {
    const until = new Date(now.getTime() - week * 7 * day * 1000);
    const drifted = week < 4 ? ['arrival_delay', hostile, longColumn] : week % 5 === 0 ? ['humidity'] : [];
    await world.drift({
      ...{ model, version: week < 6 ? version : version - 1, until: until.toISOString(), drifted },
      alerts: week < 3 ? ['1234'] : [],
      ...(week === 17
        ? {}
        : { reason_code: drifted.length > 0 ? 'drift_found' : week === 7 ? 'not_decidable' : 'no_drift' }),
    });
  }
  await world.drift({
    model,
    environment: 'staging',
    version: log.serving('staging').version,
    until: now.toISOString(),
    reason_code: 'not_decidable',
  });
  // a window that was judged again, and manifests of other forms
  await world.put('drift', {
    facts: { drifted: [], alerts: [], model: 'flights-late', files: { reference: digest } },
  });
}

const pipeline = { actor: { name: 'modelgate[bot]', via: 'action' } } as const;
