import { setTimeout as sleep } from 'node:timers/promises';
import { UserError } from '../../../src/errors.ts';
import { silentLogger } from '../../../src/logger.ts';
import { findEnd, readEntries } from '../../../src/registry/log.ts';
import { Registry } from '../../../src/registry/registry.ts';
import { keys } from '../../../src/store/keys.ts';
import type { Storage } from '../../../src/store/storage.ts';
import { Store } from '../../../src/store/store.ts';
import { evenly, type ProxyOptions, type Rates, seeded } from '../../store/servers/fault-proxy.ts';
import { alice } from '../world.ts';
import { type End, emptyTally, judgeCreates, judgeLog, type Tally } from './tally.ts';

/** 30 % of the replies are dropped after the effect, and about half of all requests go wrong. */
export const badDay: Rates = {
  lost: 0.3,
  '409': 0.03,
  '412': 0.03,
  '500': 0.03,
  '503': 0.03,
  hang: 0.02,
  refused: 0.02,
  cut: 0.02,
  'echo-412': 0.05,
  'late-500': 0.02,
  'late-effect': 0.02,
};

/** For races: every second write goes wrong, and every tenth reading, of which there are many more. */
export function raceFaults(seed: number): NonNullable<ProxyOptions['fault']> {
  const [writes, readings] = [seeded(seed, evenly(0.5)), seeded(seed + 1, evenly(0.1))];
  return ({ method }) => (method === 'GET' ? readings() : writes());
}

/**
 * Creates log entries through the bare storage, three writers to a name; two of them have the same bytes. Each name
 * must have been created by exactly one of them, and must hold what that one wrote.
 */
export async function createThroughFaults(request: {
  writers: readonly [Storage, Storage, Storage];
  direct: Storage;
  operations: number;
}): Promise<Tally> {
  const { writers, direct, operations } = request;
  const tally = emptyTally();
  const names = Array.from({ length: Math.ceil(operations / 3) }, (_, index) => index + 1);
  await inTurns(names, 24, async (seq) => {
    const key = keys.log('bare', seq);
    const contents = [`${seq} first`, `${seq} second`, `${seq} second`];
    const ends = await Promise.all(
      writers.map((writer, index) => endOf(writer, key, Buffer.from(contents[index] ?? ''))),
    );
    const there = (await direct.read(key))?.toString();
    judgeCreates(tally, ends, contents, there);
  });
  return tally;
}

async function endOf(writer: Storage, key: string, bytes: Buffer): Promise<End> {
  try {
    return await writer.create(key, bytes);
  } catch (error) {
    if (error instanceof UserError && error.code === 'storage_unavailable') return 'uncertain';
    throw error;
  }
}

/**
 * Commits entries to a few logs through registries, each operation once. `replayed` at the first time of asking means
 * that the storage had told a success of ours as somebody else's.
 */
export async function commitThroughFaults(request: {
  /** Writers; writer n commits to log n modulo `logs`. */
  writers: readonly Storage[];
  direct: Storage;
  logs: number;
  operations: number;
}): Promise<Tally> {
  const { writers, direct, logs, operations } = request;
  const tally = emptyTally();
  const told = new Map<string, Map<string, number | null>>();
  const modelOf = (writer: number) => `log-${writer % logs}`;
  await Promise.all(
    writers.map(async (storage, writer) => {
      const registry = new Registry({
        store: new Store(storage),
        now: () => new Date(),
        logger: silentLogger,
      });
      const model = modelOf(writer);
      const places = told.get(model) ?? new Map<string, number | null>();
      told.set(model, places);
      const share = Math.floor(operations / writers.length) + (writer < operations % writers.length ? 1 : 0);
      for (let number = 0; number < share; number += 1) {
        const op_id = `writer-${writer}-${number}`;
        places.set(op_id, await commit(registry, model, op_id, tally));
      }
    }),
  );
  for (const [model, places] of told) {
    judgeLog(tally, places, await readEntries(direct, model, 1, await findEnd(direct, model, 0)));
  }
  return tally;
}

async function commit(
  registry: Registry,
  model: string,
  op_id: string,
  tally: Tally,
): Promise<number | null> {
  tally.operations += 1;
  for (let attempt = 1; ; attempt += 1) {
    try {
      const { status, entry } = await registry.commit({
        model,
        op_id,
        matches: ({ type }) => type === 'evaluate',
        decide: () => ({
          type: 'evaluate',
          op_id,
          actor: alice,
          evaluation_set: { id: 'june', sha256: 'e'.repeat(64) },
          manifest: 'a'.repeat(64),
          evaluation: 'b'.repeat(64),
        }),
      });
      if (entry === null) throw new Error('there was something to do');
      if (status === 'replayed' && attempt === 1) tally.falselyOthers += 1;
      tally.done += 1;
      return entry.seq;
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      // everyone else in this log moves on too: 100 lost races in a row are no race
      if (error.code === 'lost_race') tally.falselyOthers += 1;
      else if (error.code === 'storage_unavailable') tally.uncertain += 1;
      else throw error;
      if (attempt === 5) return null;
      await sleep(10);
    }
  }
}

/** Works through a list with so many at once. */
async function inTurns<T>(
  items: readonly T[],
  width: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const queue = items[Symbol.iterator]();
  await Promise.all(
    Array.from({ length: width }, async () => {
      for (const item of queue) await work(item);
    }),
  );
}
