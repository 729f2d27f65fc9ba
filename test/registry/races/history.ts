import { z } from 'zod';

const generation = z.number().int().nonnegative();
const version = z.number().int().positive();

/** What a client asked: to promote if the environment is at generation `expected`, or what serves. */
export const Request = z.discriminatedUnion('type', [
  z.object({ type: z.literal('promote'), expected: generation, version }),
  z.object({ type: z.literal('status') }),
]);
export type Request = z.infer<typeof Request>;

/**
 * What it was told. `won`: the environment is at `generation` through this promotion, entry `seq` of the log.
 * `refused`: it is at `generation`, not at the one expected. `nothing`: the version serves there already. `read`: the
 * answer to a status. `unknown`: an error that leaves open whether it was done.
 */
export const Answer = z.discriminatedUnion('type', [
  z.object({ type: z.literal('won'), generation, seq: z.number().int().positive() }),
  z.object({ type: z.literal('refused'), generation }),
  z.object({ type: z.literal('nothing'), generation }),
  z.object({ type: z.literal('read'), generation, version: version.nullable() }),
  z.object({ type: z.literal('unknown'), code: z.string() }),
]);
export type Answer = z.infer<typeof Answer>;

/** One operation of a client. Times: nanoseconds of the machine's one monotonic clock, which all processes share. */
export const Operation = z.object({
  client: z.number().int().nonnegative(),
  op_id: z.string(),
  called: z.number(),
  returned: z.number(),
  request: Request,
  answer: Answer,
});
export type Operation = z.infer<typeof Operation>;

/** One line for a person. */
export function describeOperation({ client, op_id, called, returned, request, answer }: Operation): string {
  const asked = request.type === 'status' ? 'status' : `promote ${request.version} at ${request.expected}`;
  const told = answer.type === 'unknown' ? answer.code : `${answer.type} ${answer.generation}`;
  return `client ${client} ${op_id}: ${asked} → ${told} [${called}, ${returned}]`;
}

/** How often each answer was given. */
export function countAnswers(history: readonly Operation[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { answer } of history) {
    const name = answer.type === 'unknown' ? answer.code : answer.type;
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}
