import { z } from 'zod';
import { Digest } from '../../../src/json.ts';

/** A line of a process under proof. */
export const Told = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('ready') }),
  /** A whole run was stored; `manifest` is its gate's. */
  z.object({ kind: z.literal('stored'), manifest: Digest }),
  /** An operation was done by this log entry; `op_id` is null when an earlier one had done it already. */
  z.object({
    kind: z.literal('entry'),
    model: z.string(),
    op_id: z.string().nullable(),
    seq: z.number(),
    head: Digest,
  }),
  z.object({ kind: z.literal('cycle'), number: z.number() }),
  z.object({
    kind: z.literal('error'),
    code: z.string(),
    message: z.string(),
    where: z.string().nullable(),
    fix: z.string(),
    class: z.string().nullable(),
  }),
]);
export type Told = z.infer<typeof Told>;
/** What must still be there after any crash. */
export type Acknowledged = Extract<Told, { kind: 'stored' | 'entry' }>;

/** The whole lines of an output; a line that a kill cut off was not told. */
export function toldIn(text: string): Told[] {
  const lines = text.split('\n').slice(0, -1);
  return lines.map((line) => Told.parse(JSON.parse(line)));
}

export function acknowledgedIn(lines: readonly Told[]): Acknowledged[] {
  return lines.filter((line) => line.kind === 'stored' || line.kind === 'entry');
}

export function errorIn(lines: readonly Told[]): Extract<Told, { kind: 'error' }> | null {
  return lines.find((line) => line.kind === 'error') ?? null;
}

const Outcome = z.object({
  outputs: z.object({ seq: z.number(), head: Digest }).partial(),
  inputs: z.object({ model: z.string(), op_id: z.string() }).partial(),
  error: z
    .object({ code: z.string(), message: z.string(), where: z.string().nullable(), fix: z.string() })
    .optional(),
  failure_class: z.string().optional(),
});

/** What the command line's JSON told of a promotion; nothing when it was killed before its end. */
export function outcomeIn(text: string): Told[] {
  if (!text.endsWith('\n')) return [];
  const { outputs, inputs, error, failure_class } = Outcome.parse(JSON.parse(text));
  if (error !== undefined) return [{ kind: 'error', ...error, class: failure_class ?? null }];
  return [Told.parse({ kind: 'entry', ...inputs, ...outputs })];
}
