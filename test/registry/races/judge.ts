import type { Placed } from '../../../src/registry/chain.ts';
import { describeOperation, type Operation } from './history.ts';

/**
 * Compares what the clients were told with the log, and gives every lie: a promotion that was said to have won and is
 * not in the log in that place, one in the log that was said to be refused, one that is there twice or that nobody
 * asked for, a reading of what never was.
 */
export function findLies(
  history: readonly Operation[],
  log: readonly Placed[],
  environment: string,
): string[] {
  const lies: string[] = [];
  const served = new Map<number, number | null>([[0, null]]);
  const places = new Map<string, { seq: number; generation: number; version: number }>();
  for (const { entry } of log) {
    if (entry.type !== 'promote' || entry.environment !== environment) continue;
    if (places.has(entry.op_id)) lies.push(`entry ${entry.seq} has the operation of an earlier one`);
    if (entry.generation !== served.size) lies.push(`entry ${entry.seq} leaves a generation out`);
    places.set(entry.op_id, entry);
    served.set(entry.generation, entry.version);
  }
  for (const operation of history) {
    if (!isTrue(operation, places.get(operation.op_id), served)) lies.push(describeOperation(operation));
    if (operation.request.type === 'promote') places.delete(operation.op_id);
  }
  return [...lies, ...[...places.keys()].map((op_id) => `nobody asked for ${op_id}`)];
}

function isTrue(
  { request, answer }: Operation,
  placed: { seq: number; generation: number; version: number } | undefined,
  served: ReadonlyMap<number, number | null>,
): boolean {
  switch (answer.type) {
    case 'won':
      return (
        request.type === 'promote' &&
        placed?.seq === answer.seq &&
        placed.generation === answer.generation &&
        placed.version === request.version
      );
    case 'refused':
      return placed === undefined && served.has(answer.generation);
    case 'nothing':
      return (
        placed === undefined &&
        request.type === 'promote' &&
        served.get(answer.generation) === request.version
      );
    case 'read':
      return served.get(answer.generation) === answer.version;
    case 'unknown':
      return true;
  }
}
