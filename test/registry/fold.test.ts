import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UserError } from '../../src/errors.ts';
import { stateDigest } from '../../src/registry/caches.ts';
import { decodeEntry, encodeEntry, type Placed } from '../../src/registry/chain.ts';
import { drillsOf, lastDrill } from '../../src/registry/drills.ts';
import type { Intent, LogEntry } from '../../src/registry/entries.ts';
import { fold } from '../../src/registry/fold.ts';
import { frozenAs, retiredAs } from '../../src/registry/guards.ts';
import { decidePromote, decideRetire, decideRollback, previousMove } from '../../src/registry/rules.ts';
import { emptyState, environmentOf, type ModelState } from '../../src/registry/state.ts';
import { brokenRule } from '../../src/registry/verify-moves.ts';
import { LogWriter, step } from './delivery-world.ts';
import { alice, environments, model } from './world.ts';

const environment = fc.constantFrom(...environments);
const version = fc.integer({ min: 1, max: 6 });
const action = fc.oneof(
  fc.record({
    type: fc.constant('register' as const),
    verdict: fc.constantFrom('pass', 'pass', 'fail', 'inconclusive'),
    /** Two registrations may be of one package. */
    content: fc.integer({ min: 1, max: 6 }),
  }),
  fc.record({ type: fc.constant('promote' as const), version, environment, override: fc.boolean() }),
  fc.record({
    type: fc.constant('rollback' as const),
    environment,
    to: fc.option(version),
    freeze: fc.boolean(),
  }),
  fc.record({ type: fc.constant('retire' as const), version }),
);
const actions = fc.array(action, { minLength: 20, maxLength: 60, size: 'max' });
type Action = typeof action extends fc.Arbitrary<infer T> ? T : never;

const now = new Date('2026-01-01T00:00:00Z');

/** What the rules make of an action: the intent, or null when they refuse it or nothing is to do. */
function intentOf(state: ModelState, action: Action, op_id: string): Intent | null {
  const head = { op_id, actor: alice };
  const common = { environments, expected_generation: null, actor: alice };
  try {
    switch (action.type) {
      case 'register': {
        const [manifest, gate] = [action.content, state.versions.length + 1].map((n) =>
          String(n).padStart(64, '0'),
        ) as [string, string];
        const verdict = action.verdict as 'pass' | 'fail' | 'inconclusive';
        return {
          ...head,
          type: 'register',
          version: state.versions.length + 1,
          manifest,
          gate,
          verdict,
        };
      }
      case 'retire':
        return decideRetire(state, action.version) === null
          ? null
          : { ...head, type: 'retire', version: action.version };
      default: {
        const decision =
          action.type === 'promote'
            ? decidePromote(
                state,
                { ...common, ...action, override: action.override ? { by: 'carol', reason: 'x' } : null },
                now,
              )
            : decideRollback(state, { ...common, ...action, reason: 'y' }, now);
        if (decision === null) return null;
        return {
          ...head,
          type: action.type,
          environment: action.environment,
          generation: decision.generation,
          version: decision.to.version,
          manifest: decision.to.manifest,
          from: decision.from?.version ?? null,
          ...(decision.overridden === true ? { override: { by: 'carol', reason: 'x' } } : {}),
          ...(action.type === 'rollback' && !action.freeze ? { freeze: false, reason: 'y' } : {}),
        };
      }
    }
  } catch (error) {
    if (error instanceof UserError) return null;
    throw error;
  }
}

function place(state: ModelState, intent: Intent): Placed {
  const entry = {
    schema: 'modelgate.log/1',
    seq: state.seq + 1,
    prev: state.head,
    at: now.toISOString(),
    ...intent,
  } as LogEntry;
  return { entry, head: encodeEntry(entry).head };
}

function run(
  actions: readonly Action[],
  each?: (before: ModelState, placed: Placed, after: ModelState) => void,
) {
  let state = emptyState(model);
  const log: Placed[] = [];
  for (const [index, one] of actions.entries()) {
    const intent = intentOf(state, one, `op-${index}`);
    if (intent === null) continue;
    const placed = place(state, intent);
    const after = fold(state, [placed]);
    each?.(state, placed, after);
    state = after;
    log.push(placed);
  }
  return { state, log };
}

describe('fold', () => {
  it('keeps its invariants under any sequence of operations', () => {
    fc.assert(
      fc.property(actions, (list) => {
        const moves = new Map<string, Intent[]>();
        run(list, (before, placed, after) => {
          expect(after.seq).toBe(before.seq + 1);
          const { entry } = placed;
          expect(brokenRule(before, entry)).toBeNull();
          if (entry.type === 'promote' || entry.type === 'rollback') {
            moves.set(entry.environment, [...(moves.get(entry.environment) ?? []), entry]);
            // generations without a gap
            expect(entry.generation).toBe(moves.get(entry.environment)?.length);
          }
          for (const each of after.environments.values()) {
            // the newest move to each version, in order; the last one is what serves
            const newest = new Map<number, Intent>();
            for (const move of moves.get(each.name) ?? []) {
              if (!('version' in move)) continue;
              newest.delete(move.version);
              newest.set(move.version, move);
            }
            expect(each.served).toMatchObject(
              [...newest.values()].map((move) => ('seq' in move ? { seq: move.seq } : {})),
            );
            expect(each.served.at(-1)).toMatchObject({ version: each.version, generation: each.generation });
            const serving = after.versions[(each.version ?? 0) - 1];
            expect(serving).toMatchObject({ manifest: each.manifest });
            expect(retiredAs(after, serving!.manifest)).toBeNull();
            expect(serving?.verdict).not.toBe('fail');
            expect(frozenAs(after, serving!.manifest, each)).toBeNull();
          }
          const production = new Set(environmentOf(after, 'production').served.map((move) => move.manifest));
          const staging = new Set(environmentOf(after, 'staging').served.map((move) => move.manifest));
          for (const manifest of production) expect(staging).toContain(manifest);
          if (placed.entry.type === 'rollback') {
            const { environment: name, version: restored, manifest, from } = placed.entry;
            expect(environmentOf(before, name).served.map((move) => move.version)).toContain(restored);
            const left = environmentOf(before, name).manifest;
            const target = environmentOf(after, name);
            if (placed.entry.freeze === false) {
              // nothing is kept out that was not before
              const known = environmentOf(before, name).frozen;
              expect(known).toEqual(expect.arrayContaining([...target.frozen]));
              expect(frozenAs(after, left ?? '', target)).toBeNull();
            } else if (left !== manifest) expect(target.frozen).toContain(from);
          }
        });
      }),
      { numRuns: 300, seed: 1 },
    );
  });

  it('a rollback right after a promotion restores what served before it', () => {
    let checked = 0;
    fc.assert(
      fc.property(actions, (list) => {
        run(list, (before, { entry }, after) => {
          if (entry.type !== 'promote' || entry.from === null) return;
          const serving = environmentOf(before, entry.environment);
          if (serving.manifest === entry.manifest) return;
          checked += 1;
          expect(previousMove(after, environmentOf(after, entry.environment))?.version).toBe(serving.version);
        });
      }),
      { numRuns: 300, seed: 2 },
    );
    expect(checked).toBeGreaterThan(50);
  });

  it('[DEP-5] lets a drill go back and forth and leaves what may be promoted and restored as it was', () => {
    let checked = 0;
    const drill = (state: ModelState, name: string) => {
      const before = environmentOf(state, name);
      const back = previousMove(state, before);
      if (back === null) return;
      checked += 1;
      let drilled = state;
      for (const [half, to] of [
        ['back', back.version],
        ['restore', before.version],
      ] as const) {
        const action = { type: 'rollback', environment: name, to, freeze: false } as const;
        const placed = place(drilled, intentOf(drilled, action, `drill-1-1-${half}`)!);
        expect(brokenRule(drilled, placed.entry)).toBeNull();
        drilled = fold(drilled, [placed]);
      }
      const after = environmentOf(drilled, name);
      expect([after.version, after.frozen]).toEqual([before.version, before.frozen]);
      expect(previousMove(drilled, after)?.version).toBe(back.version);
      expect(lastDrill(drilled)).toMatchObject({
        ...{ environment: name, from: before.version, to: back.version, restored_at: now.toISOString() },
      });
      // what might be promoted there before it may be after it
      for (const { version } of state.versions.filter((one) => one.version !== before.version)) {
        const promote = { type: 'promote', version, environment: name, override: true } as const;
        const [was, is] = [state, drilled].map((each) => intentOf(each, promote, 'next') !== null);
        expect(is).toBe(was);
      }
    };
    fc.assert(
      fc.property(actions, (list) => {
        run(list, (_, __, state) => {
          for (const name of environments) drill(state, name);
        });
      }),
      { numRuns: 300, seed: 4 },
    );
    expect(checked).toBeGreaterThan(50);
  });

  it('refuses a rollback that keeps nothing out and gives no reason', () => {
    const one: Action[] = [1, 2].flatMap((content) => [
      { type: 'register', verdict: 'pass', content },
      { type: 'promote', version: content, environment: 'staging', override: false },
    ]);
    const { state } = run(one);
    const request = {
      environment: 'staging',
      environments,
      to: null,
      expected_generation: null,
      actor: alice,
    };
    for (const reason of [null, ' ']) {
      expect(() => decideRollback(state, { ...request, freeze: false, reason }, now)).toThrow(
        expect.objectContaining({ code: 'usage', where: '--no-freeze' }),
      );
    }
    expect(decideRollback(state, { ...request, reason: null }, now)?.to.version).toBe(1);
    const intent = intentOf(state, { type: 'rollback', environment: 'staging', to: 1, freeze: false }, 'x');
    const { entry } = place(state, { ...intent, reason: ' ' } as Intent);
    expect(brokenRule(state, entry)).toContain('gives no reason');
  });

  it('[MET-1] knows the last drill of a log as a reading of all its entries does', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 5, maxLength: 60, size: 'max' }), (steps) => {
        const log = new LogWriter('2025-10-01T00:00:00Z');
        for (const one of steps) log.wait(one.hours).step(one);
        const state = fold(emptyState('m'), log.placed);
        expect(lastDrill(state)).toEqual(drillsOf(log.entries).at(-1) ?? null);
      }),
      { numRuns: 100, seed: 5 },
    );
  });

  it('gives the same state in one go and in steps, and changes no state that it was given', () => {
    fc.assert(
      fc.property(actions, fc.nat(40), (list, cut) => {
        const { state, log } = run(list);
        const early = fold(emptyState(model), log.slice(0, cut));
        const digest = stateDigest(early);
        expect(stateDigest(fold(early, log.slice(cut)))).toBe(stateDigest(state));
        expect(stateDigest(early)).toBe(digest);
      }),
      { numRuns: 200, seed: 3 },
    );
  });

  it('refuses entries that no writer who keeps the rules can have made', () => {
    const register: Intent = {
      op_id: 'a',
      actor: alice,
      type: 'register',
      version: 1,
      manifest: '1'.repeat(64),
      gate: '2'.repeat(64),
      verdict: 'pass',
    };
    const start = emptyState(model);
    const registered = fold(start, [place(start, register)]);
    const promote: Intent = {
      op_id: 'b',
      actor: alice,
      type: 'promote',
      environment: 'staging',
      generation: 1,
      version: 1,
      manifest: '1'.repeat(64),
      from: null,
    };
    expect(fold(registered, [place(registered, promote)]).environments.size).toBe(1);
    for (const wrong of [
      { ...register, op_id: 'c' },
      { ...register, op_id: 'c', version: 3 },
      { ...register, version: 2 },
      { ...promote, op_id: 'c', generation: 2 },
      { ...promote, op_id: 'c', from: 1 },
      { ...promote, op_id: 'c', version: 2 },
      { ...promote, op_id: 'c', manifest: '3'.repeat(64) },
    ]) {
      expect(() => fold(registered, [place(registered, wrong)])).toThrow(
        expect.objectContaining({ code: 'log_damaged' }),
      );
    }
    const elsewhere = place(start, { ...register, op_id: 'd', version: 2 });
    expect(() => fold(registered, [elsewhere])).toThrow(expect.objectContaining({ code: 'log_damaged' }));
  });
});

describe('entries', () => {
  it('decodes what it encoded and nothing that differs by a byte', () => {
    const start = emptyState(model);
    const { entry } = place(start, {
      op_id: 'a',
      actor: alice,
      type: 'retire',
      version: 1,
      reason: 'née 🙂',
    });
    const { bytes, head } = encodeEntry(entry);
    expect(decodeEntry(bytes, 'here')).toEqual({ entry, head });
    let survived = 0;
    for (let bit = 0; bit < bytes.length * 8; bit += 1) {
      const flipped = Buffer.from(bytes);
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      try {
        const decoded = decodeEntry(flipped, 'here');
        // what still is an entry says something else and has another hash
        expect(decoded.head).not.toBe(head);
        expect(decoded.entry).not.toEqual(entry);
        survived += 1;
      } catch (error) {
        expect(error).toMatchObject({ code: 'log_damaged' });
      }
    }
    expect(survived).toBeGreaterThan(0);
  });

  it('refuses white space, unknown members and reordered ones', () => {
    const start = emptyState(model);
    const { entry } = place(start, { op_id: 'a', actor: alice, type: 'retire', version: 1 });
    const text = encodeEntry(entry).bytes.toString();
    for (const other of [
      `${text}\n`,
      JSON.stringify(entry),
      text.replace('{', '{"aa":1,'),
      '',
      'null',
      '[]',
    ]) {
      expect(() => decodeEntry(Buffer.from(other), 'here')).toThrow(
        expect.objectContaining({ code: 'log_damaged' }),
      );
    }
  });
});
