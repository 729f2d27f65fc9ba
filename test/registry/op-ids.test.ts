import { describe, expect, it } from 'vitest';
import { approvePromotion, requestPromotion } from '../../src/registry/approvals.ts';
import type { Intent, LogEntryType } from '../../src/registry/entries.ts';
import { lock, retire, unlock } from '../../src/registry/locks.ts';
import type { Registry } from '../../src/registry/registry.ts';
import { promote, rollback } from '../../src/rollout/move.ts';
import { MemoryStorage } from '../store/memory-storage.ts';
import { registryOver } from './long-log.ts';
import { alice, bob, environments, model, promotion, registerVersions } from './world.ts';

const op_id = 'the-operation';
const common = { model, environments, op_id, reason: 'why', actor: alice };
const staging = { ...common, environment: 'staging' };
const move = { ...promotion, op_id, reason: 'why', actor: alice };
const plain = { ...promotion, actor: alice };
const digest = (letter: string) => letter.repeat(64);

/** Commits an entry as it is: for those that other parts of the registry decide on. */
function commit(registry: Registry, intent: Record<string, unknown> & { type: LogEntryType }) {
  const wanted = { op_id, actor: alice, reason: 'why', ...intent } as Intent;
  return registry.commit({
    model,
    op_id,
    matches: (entry) => Object.entries(wanted).every(([key, value]) => same(entry[key as never], value)),
    decide: () => wanted,
  });
}
const same = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b);

/** How each operation is done, what must be before it, and other requests under the same operation id. */
const operations: {
  type: LogEntryType;
  before?: (registry: Registry) => Promise<unknown>;
  run: (registry: Registry) => Promise<unknown>;
  others: ((registry: Registry) => Promise<unknown>)[];
}[] = [
  {
    type: 'evaluate',
    run: (registry) => commit(registry, evaluated('a')),
    others: [(registry) => commit(registry, evaluated('b'))],
  },
  {
    type: 'register',
    run: (registry) => commit(registry, registered('a')),
    others: [(registry) => commit(registry, registered('b'))],
  },
  {
    type: 'request',
    run: (registry) => requestPromotion(registry, { ...staging, version: 1 }),
    others: [
      (registry) => requestPromotion(registry, { ...staging, version: 2 }),
      (registry) => requestPromotion(registry, { ...staging, version: 1, environment: 'production' }),
    ],
  },
  {
    type: 'approve',
    before: (registry) => requestPromotion(registry, { ...staging, version: 1, op_id: null }),
    run: (registry) => approvePromotion(registry, { ...staging, version: 1, actor: bob, approvers: null }),
    others: [
      (registry) => approvePromotion(registry, { ...staging, version: 2, actor: bob, approvers: null }),
    ],
  },
  {
    type: 'promote',
    run: (registry) => promote(registry, { ...move, version: 1, expected_generation: 0 }),
    others: [
      (registry) => promote(registry, { ...move, version: 2, expected_generation: 0 }),
      (registry) => promote(registry, { ...move, version: 1, expected_generation: 1 }),
      (registry) => promote(registry, { ...move, version: 1, environment: 'production' }),
    ],
  },
  {
    type: 'rollback',
    before: async (registry) => {
      for (const version of [1, 2]) await promote(registry, { ...plain, version });
    },
    run: (registry) => rollback(registry, { ...move, to: null }),
    others: [
      (registry) => rollback(registry, { ...move, to: 2 }),
      (registry) => rollback(registry, { ...move, to: null, expected_generation: 3 }),
      (registry) => rollback(registry, { ...move, to: null, environment: 'production' }),
    ],
  },
  {
    type: 'lock',
    run: (registry) => lock(registry, { ...staging, ttl: 60_000 }),
    others: [
      (registry) => lock(registry, { ...staging, ttl: null }),
      (registry) => lock(registry, { ...staging, ttl: 120_000 }),
      (registry) => lock(registry, { ...staging, ttl: 60_000, environment: 'production' }),
    ],
  },
  {
    type: 'unlock',
    before: (registry) => lock(registry, { ...staging, op_id: null, ttl: null }),
    run: (registry) => unlock(registry, { ...staging, force: false }),
    others: [(registry) => unlock(registry, { ...staging, force: false, environment: 'production' })],
  },
  {
    type: 'retire',
    run: (registry) => retire(registry, { ...common, version: 1 }),
    others: [(registry) => retire(registry, { ...common, version: 2 })],
  },
];

function evaluated(letter: string) {
  const evaluation_set = { id: 'june', sha256: digest('e') };
  return { type: 'evaluate', evaluation_set, manifest: digest('a'), evaluation: digest(letter) } as const;
}

function registered(letter: string) {
  const verdict = 'pass' as const;
  return { type: 'register', version: 3, manifest: digest(letter), gate: digest(letter), verdict } as const;
}

/** An answer without what tells a first time from a repetition. */
function answerOf(result: unknown) {
  const { status: _, state: __, ...answer } = result as Record<string, unknown>;
  return answer;
}

describe('operation ids', () => {
  it.each(operations)(
    '[REG-1] $type: repeated it is one entry with one answer; for another request it is refused',
    async ({ type, before, run, others }) => {
      const storage = await MemoryStorage.open();
      const registry = registryOver(storage);
      await registerVersions(registry, 2);
      await before?.(registry);
      const { seq } = await registry.state(model);
      const first = await run(registry);
      expect(first).toMatchObject({ status: 'committed' });
      const { entry } = await registry.entry(model, seq + 1);
      expect(entry).toMatchObject({ type, op_id, reason: 'why' });
      expect(entry.actor).toEqual(type === 'approve' ? bob : alice);
      // by the same process, by another one, and after other things have happened
      await lock(registry, { ...staging, environment: 'production', op_id: null, ttl: null });
      for (const again of [registry, registryOver(storage), registryOver(storage)]) {
        const repeated = await run(again);
        expect(repeated).toMatchObject({ status: 'replayed' });
        expect(answerOf(repeated)).toEqual(answerOf(first));
      }
      const every = [
        ...others,
        ...operations.filter((other) => other.type !== type).map((other) => other.run),
      ];
      for (const other of every) {
        await expect(other(registryOver(storage))).rejects.toMatchObject({ code: 'op_id_reused' });
      }
      expect((await registry.state(model)).seq).toBe(seq + 2);
    },
  );
});
