import { z } from 'zod';
import { Digest } from '../json.ts';
import { Name } from '../names.ts';
import { Trust } from '../provenance/policy.ts';
import type { Moved } from '../rollout/move.ts';
import type { StageResult } from './define.ts';

/** Inputs that the registry's stages share. */
export const reason = z.string().min(1).max(1000).nullable().default(null).describe('Why: kept in the log.');
export const opId = z
  .string()
  .regex(/^[A-Za-z0-9._:-]{1,128}$/, 'expected 1 to 128 of A-Z a-z 0-9 . _ : -')
  .nullable()
  .default(null)
  .describe('Names the operation: running it again with the same id changes nothing.');
export const digest = Digest.nullable()
  .default(null)
  .describe('The package that is meant, by its digest. Left out: the version says it.');
export const trust = Trust.optional().describe(
  'Who must have signed the package, and which workflow made it. Left out: nobody asks.',
);
export const environment = Name.describe('The environment, e.g. production.');
export const environments = z
  .array(Name)
  .min(1)
  .max(10)
  .describe('All environments, in the order in which a version walks through them.');
export const version = z.number().int().positive();
export const expectedGeneration = z
  .number()
  .int()
  .nonnegative()
  .nullable()
  .default(null)
  .describe('Refuse when the environment has moved since it was looked at; `status` shows the generation.');

export const MoveOutputs = z.object({
  from: version.nullable(),
  to: version,
  manifest: Digest,
  environment: Name,
  generation: z.number(),
  seq: z.number().nullable(),
  head: Digest.nullable(),
  /** Wall time of the whole move, verification of the package included. */
  seconds: z.number(),
  dry_run: z.boolean(),
});
export type MoveOutputs = z.infer<typeof MoveOutputs>;

export function moveResult(
  verb: 'promoted' | 'rolled back',
  request: { model: string; environment: string; dry_run: boolean },
  result: Moved,
  /** By process.uptime(). */
  started: number,
): StageResult<MoveOutputs> {
  const { model, environment, dry_run } = request;
  const { status, ...move } = result;
  const seconds = Math.round((process.uptime() - started) * 1000) / 1000;
  const from = move.from === null ? 'nothing' : `version ${move.from}`;
  const summary = {
    committed: `${environment} ${verb} from ${from} to version ${move.to} of ${model}, generation ${move.generation}.`,
    replayed: `This operation was done before: ${environment} to version ${move.to} of ${model}, generation ${move.generation}.`,
    nothing: `${environment} runs version ${move.to} of ${model} already.`,
    planned: `${environment} would be ${verb} from ${from} to version ${move.to} of ${model}.`,
  }[status];
  return {
    verdict: 'pass',
    reason_code: status === 'nothing' ? 'nothing_to_do' : 'done',
    summary,
    outputs: { ...move, environment, seconds, dry_run },
  };
}
