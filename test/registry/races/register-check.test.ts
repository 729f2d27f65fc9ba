import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../../src/stats/random.ts';
import type { Operation } from './history.ts';
import { findLies } from './judge.ts';
import { randomHistory } from './random-history.ts';
import { checkRegister } from './register-check.ts';
import { withDoubleWinner, withStaleRead } from './seeds.ts';

interface State {
  generation: number;
  version: number | null;
}

/** The definition itself: tries all orders that keep who ended before whom began. */
function hasOrder(left: readonly Operation[], state: State): boolean {
  if (left.every(({ answer }) => answer.type === 'unknown')) return true;
  const end = Math.min(...left.map((one) => (one.answer.type === 'unknown' ? Infinity : one.returned)));
  return left.some((operation, index) => {
    if (operation.called > end) return false;
    const next = after(operation, state);
    return next !== null && hasOrder(left.toSpliced(index, 1), next);
  });
}

function after({ request, answer }: Operation, state: State): State | null {
  const { generation, version } = state;
  if (request.type === 'status') {
    const same = answer.type === 'read' && answer.generation === generation && answer.version === version;
    return same || answer.type === 'unknown' ? state : null;
  }
  const matches = request.expected === generation;
  const next = { generation: generation + 1, version: request.version };
  switch (answer.type) {
    case 'won':
      return matches && answer.generation === next.generation ? next : null;
    case 'refused':
      return !matches && answer.generation === generation ? state : null;
    case 'nothing':
      return matches && answer.generation === generation && version === request.version ? state : null;
    case 'unknown':
      return matches ? next : state;
    case 'read':
      return null;
  }
}

const promotion = (client: number, expected: number, times: [number, number]): Operation => ({
  client,
  op_id: `op-${client}`,
  called: times[0],
  returned: times[1],
  request: { type: 'promote', expected, version: client + 1 },
  answer: { type: 'won', generation: expected + 1, seq: expected + 2 },
});
const reading = (generation: number, version: number | null, times: [number, number]): Operation => ({
  client: 99,
  op_id: `read-${times[0]}`,
  called: times[0],
  returned: times[1],
  request: { type: 'status' },
  answer: { type: 'read', generation, version },
});

describe('the versioned-register check', () => {
  it('agrees with trying all orders, on histories right and wrong', () => {
    const verdicts = { right: 0, wrong: 0 };
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: 1, max: 8 }), fc.nat(2), (seed, operations, wrong) => {
        const history = randomHistory(seededRandom(seed), { operations, wrong });
        const right = hasOrder(history, { generation: 0, version: null });
        verdicts[right ? 'right' : 'wrong'] += 1;
        expect(checkRegister(history).length === 0).toBe(right);
      }),
      { numRuns: 3000, seed: 5 },
    );
    expect(Math.min(verdicts.right, verdicts.wrong)).toBeGreaterThan(500);
  });

  it('accepts long histories that are linearizable', () => {
    for (let seed = 0; seed < 20; seed += 1) {
      expect(checkRegister(randomHistory(seededRandom(seed), { operations: 2000, wrong: 0 }))).toEqual([]);
    }
  });

  it('names a stale reading, a second winner, a generation that nobody made, and a move that came too early', () => {
    const good = [promotion(0, 0, [1, 5]), promotion(1, 1, [6, 9]), reading(1, 1, [2, 20])];
    expect(checkRegister(good)).toEqual([]);
    expect(checkRegister(withStaleRead(good, 2))).toEqual([
      expect.stringMatching(/no moment is left for generation 2/),
    ]);
    expect(checkRegister(withDoubleWinner(good, 2))).toContainEqual(
      expect.stringMatching(/^generation 2 has 2 winners/),
    );
    expect(checkRegister([...good, reading(3, 7, [2, 20])])).toEqual(['nobody made generation 3']);
    expect(checkRegister([promotion(0, 0, [10, 15]), promotion(1, 1, [6, 9])])).toContainEqual(
      expect.stringMatching(/no moment is left for generation 1/),
    );
  });

  it('lets an operation without an answer explain what nobody says to have done, but not before its call', () => {
    const silent = (called: number): Operation => ({
      ...promotion(4, 1, [called, called + 1]),
      answer: { type: 'unknown', code: 'storage_unavailable' },
    });
    const seen = [promotion(0, 0, [1, 5]), reading(2, 5, [30, 31])];
    expect(checkRegister([...seen, silent(6)])).toEqual([]);
    expect(checkRegister([promotion(0, 0, [1, 5]), silent(6)])).toEqual([]);
    expect(checkRegister([...seen, silent(40)])).toEqual([
      expect.stringMatching(/no moment is left for generation 2/),
    ]);
  });
});

describe('the comparison with the log', () => {
  it('finds each kind of lie', () => {
    const head = { schema: 'modelgate.log/1', prev: null, at: '2026-01-01T00:00:00Z' } as const;
    const entry = (generation: number, version: number) => ({
      head: 'a'.repeat(64),
      entry: {
        ...head,
        seq: generation + 1,
        type: 'promote' as const,
        op_id: `op-${version - 1}`,
        actor: { name: 'a', via: 'cli' as const },
        environment: 'staging',
        generation,
        version,
        manifest: 'b'.repeat(64),
        from: null,
      },
    });
    const history = [promotion(0, 0, [1, 5]), promotion(1, 1, [6, 9]), reading(2, 2, [10, 11])];
    const log = [entry(1, 1), entry(2, 2)];
    const lies = (told: Operation[], truth = log) => findLies(told, truth, 'staging').length;
    expect(lies(history)).toBe(0);
    expect(lies(history, log.slice(0, 1))).toBeGreaterThan(0);
    expect(lies(history.slice(1))).toBe(1);
    expect(lies([...history, reading(2, 1, [10, 11])])).toBe(1);
    const refused: Operation = { ...history[1]!, answer: { type: 'refused', generation: 2 } };
    expect(lies([history[0]!, refused])).toBe(1);
    expect(lies(history, [...log, entry(3, 2)])).toBeGreaterThan(0);
  });
});
