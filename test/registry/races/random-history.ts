import type { Random } from '../../../src/stats/random.ts';
import type { Answer, Operation, Request } from './history.ts';

/**
 * A small random history that is linearizable: operations take their effect at a moment of their own between call and
 * return. With `wrong` above 0 that many answers are then changed, so that it may be so no more. Few generations and
 * times, so that operations overlap and meet.
 */
export function randomHistory(
  random: Random,
  { operations, wrong }: { operations: number; wrong: number },
): Operation[] {
  const planned = Array.from({ length: operations }, (_, index) => {
    const called = random.below(4 * operations);
    return { index, called, moment: called + random.below(6) };
  }).sort((a, b) => a.moment - b.moment || a.index - b.index);
  let generation = 0;
  let version: number | null = null;
  const history = planned.map(({ index, called, moment }): Operation => {
    const request: Request =
      random.below(3) === 0
        ? { type: 'status' }
        : {
            type: 'promote',
            expected: Math.max(0, generation - random.below(2)),
            version: 1 + random.below(3),
          };
    const answer = answerOf(request, generation, version);
    if (request.type === 'promote' && answer.type === 'won') {
      generation = answer.generation;
      version = request.version;
    }
    const told: Answer = random.below(8) === 0 ? { type: 'unknown', code: 'storage_unavailable' } : answer;
    const returned = moment + random.below(6);
    return { client: index, op_id: `op-${index}`, called, returned, request, answer: told };
  });
  for (let change = 0; change < wrong; change += 1) {
    const at = random.below(history.length);
    const one = history[at]!;
    history[at] = { ...one, answer: changed(one.answer, random) };
  }
  return history;
}

function answerOf(request: Request, generation: number, version: number | null): Answer {
  if (request.type === 'status') return { type: 'read', generation, version };
  if (request.expected !== generation) return { type: 'refused', generation };
  if (request.version === version) return { type: 'nothing', generation };
  return { type: 'won', generation: generation + 1, seq: generation + 1 };
}

function changed(answer: Answer, random: Random): Answer {
  if (answer.type === 'unknown') return answer;
  const generation = Math.max(0, answer.generation + random.below(3) - 1);
  if (answer.type === 'refused' && random.below(3) === 0) return { type: 'won', generation, seq: 1 };
  return { ...answer, generation };
}
