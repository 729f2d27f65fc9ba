import type { Operation } from './history.ts';

/*
 * Wrong histories, made from a right one: a checker that lets them pass proves nothing.
 */

/**
 * The history with one more reading, by a client of its own: it begins after a promotion to `generation` had returned,
 * and still sees the state before it.
 */
export function withStaleRead(history: readonly Operation[], generation: number): Operation[] {
  const winner = winnerOf(history, generation);
  const before = generation === 1 ? null : versionOf(winnerOf(history, generation - 1));
  return [
    ...history,
    {
      client: clientBeside(history),
      op_id: 'seeded-stale-read',
      called: winner.returned + 1,
      returned: winner.returned + 2,
      request: { type: 'status' },
      answer: { type: 'read', generation: generation - 1, version: before },
    },
  ];
}

/** The history with one promotion that was refused told as won, while another one had won the same generation. */
export function withDoubleWinner(history: readonly Operation[], generation: number): Operation[] {
  const winner = winnerOf(history, generation);
  return [
    ...history,
    {
      client: clientBeside(history),
      op_id: 'seeded-double-winner',
      called: winner.called,
      returned: winner.returned,
      request: { type: 'promote', expected: generation - 1, version: versionOf(winner) + 1 },
      answer: { type: 'won', generation, seq: winner.answer.type === 'won' ? winner.answer.seq : 1 },
    },
  ];
}

/** How many generations a history made, by its winners. */
export function generationsOf(history: readonly Operation[]): number {
  return Math.max(0, ...history.map(({ answer }) => (answer.type === 'won' ? answer.generation : 0)));
}

function winnerOf(history: readonly Operation[], generation: number): Operation {
  const found = history.find(({ answer }) => answer.type === 'won' && answer.generation === generation);
  if (found === undefined) throw new Error(`nobody won generation ${generation}`);
  return found;
}

function versionOf({ request }: Operation): number {
  if (request.type !== 'promote') throw new Error('a status made a generation');
  return request.version;
}

const clientBeside = (history: readonly Operation[]) => 1 + Math.max(...history.map(({ client }) => client));
