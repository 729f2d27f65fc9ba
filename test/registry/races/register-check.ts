import { describeOperation, type Operation } from './history.ts';

/** What a history says of one generation of the register. */
interface Generation {
  winners: Operation[];
  /** The version that serves in it; undefined: nobody said. */
  version: number | null | undefined;
  /** Of all operations that saw it: the one called last, and the one that returned first. */
  calledLast: Operation | null;
  returnedFirst: Operation | null;
}

/**
 * Whether a history of promotions (compare-and-swap by generation) and readings is linearizable: whether one order of
 * all operations, each at some moment between its call and its return, explains every answer. Gives what speaks
 * against it, nothing when it is.
 *
 * Searching for such an order is NP-complete in general. Here each answer names the generation that it saw, so the
 * order of the promotions is known and only their moments are open. Generation g came no earlier than its promotion
 * was called, nor than any operation was called that still saw an older one; and no later than its promotion returned,
 * nor than any operation returned that saw it or a newer one. An order exists if and only if these bounds leave room
 * for each g: then every promotion may be put at its lower bound. Linear in operations and generations.
 * (The observation is that of Gibbons and Korach, Testing Shared Memories, SIAM J. Comput. 26(4), 1997.)
 *
 * An operation without an answer may have been done at any moment after its call, or never.
 */
export function checkRegister(history: readonly Operation[]): string[] {
  const complaints: string[] = [];
  const generations: Generation[] = [];
  const open = new Map<number, Operation[]>();
  for (const operation of history) {
    const { request, answer } = operation;
    if (answer.type === 'unknown') {
      if (request.type === 'promote') {
        const others = open.get(request.expected + 1);
        if (others === undefined) open.set(request.expected + 1, [operation]);
        else others.push(operation);
      }
      continue;
    }
    const contradiction = contradictionIn(operation);
    if (contradiction !== null) complaints.push(`${contradiction}: ${describeOperation(operation)}`);
    see(generationAt(generations, answer.generation), operation, complaints);
  }
  const zero = generationAt(generations, 0);
  if (zero.winners.length > 0) complaints.push('a promotion made generation 0');
  if (zero.version !== undefined && zero.version !== null) complaints.push('generation 0 serves a version');
  for (const [number, one] of generations.entries()) {
    if (number === 0) continue;
    if (one.winners.length > 1) {
      complaints.push(
        `generation ${number} has ${one.winners.length} winners: ${one.winners.map(describeOperation).join('; ')}`,
      );
    }
    if (one.winners.length === 0) adopt(one, number, open.get(number) ?? [], complaints);
  }
  return [...complaints, ...disorder(generations)];
}

/** What is wrong with an answer by itself. */
function contradictionIn({ request, answer }: Operation): string | null {
  if (answer.type === 'unknown') return null;
  if (request.type === 'status')
    return answer.type === 'read' ? null : 'a status was answered as a promotion';
  switch (answer.type) {
    case 'won':
      return answer.generation === request.expected + 1 ? null : 'won another generation than the next';
    case 'refused':
      return answer.generation !== request.expected ? null : 'refused at the generation that it expected';
    case 'nothing':
      return answer.generation === request.expected ? null : 'nothing to do at an unexpected generation';
    case 'read':
      return 'a promotion was answered as a status';
  }
}

function generationAt(generations: Generation[], number: number): Generation {
  while (generations.length <= number) {
    generations.push({ winners: [], version: undefined, calledLast: null, returnedFirst: null });
  }
  return generations[number]!;
}

function see(one: Generation, operation: Operation, complaints: string[]): void {
  const { request, answer } = operation;
  if (one.calledLast === null || operation.called > one.calledLast.called) one.calledLast = operation;
  if (one.returnedFirst === null || operation.returned < one.returnedFirst.returned) {
    one.returnedFirst = operation;
  }
  if (answer.type === 'won') one.winners.push(operation);
  const version = versionSeen(request, answer);
  if (version === undefined) return;
  if (one.version !== undefined && one.version !== version) {
    complaints.push(`two versions in one generation, ${one.version}: ${describeOperation(operation)}`);
  }
  one.version ??= version;
}

function versionSeen(request: Operation['request'], answer: Operation['answer']): number | null | undefined {
  if (answer.type === 'read') return answer.version;
  if (request.type !== 'promote' || answer.type === 'refused' || answer.type === 'unknown') return undefined;
  return request.version;
}

/** A generation that nobody says to have made must be the work of an operation without an answer. */
function adopt(
  one: Generation,
  number: number,
  candidates: readonly Operation[],
  complaints: string[],
): void {
  const fitting = candidates.filter(
    ({ request }) =>
      request.type === 'promote' && (one.version === undefined || request.version === one.version),
  );
  // the earliest call leaves the most room; it has no return
  const maker = fitting.sort((a, b) => a.called - b.called)[0];
  if (maker === undefined) {
    complaints.push(`nobody made generation ${number}`);
    return;
  }
  one.winners.push(maker);
  if (one.calledLast === null || maker.called > one.calledLast.called) one.calledLast = maker;
}

/** Generations whose bounds leave no room. */
function disorder(generations: readonly Generation[]): string[] {
  const complaints: string[] = [];
  // the first return of whoever saw g or a newer one
  const upper: (Operation | null)[] = new Array(generations.length).fill(null);
  for (let number = generations.length - 1; number > 0; number -= 1) {
    const [here, later] = [generations[number]!.returnedFirst, upper[number + 1] ?? null];
    upper[number] = here !== null && (later === null || here.returned <= later.returned) ? here : later;
  }
  let older: Operation | null = generations[0]?.calledLast ?? null;
  for (let number = 1; number < generations.length; number += 1) {
    const { winners, calledLast } = generations[number]!;
    const after = latest(older, winners[0] ?? null);
    const before = upper[number] ?? null;
    if (after !== null && before !== null && after.called > before.returned) {
      complaints.push(
        `no moment is left for generation ${number}: ${describeOperation(before)} had ended before ${describeOperation(after)} began`,
      );
    }
    older = latest(older, calledLast);
  }
  return complaints;
}

function latest(a: Operation | null, b: Operation | null): Operation | null {
  if (a === null || b === null) return a ?? b;
  return b.called > a.called ? b : a;
}
