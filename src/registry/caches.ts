import { z } from 'zod';
import { canonicalJson, Digest, digestOf, parseJson } from '../json.ts';
import { keys } from '../store/keys.ts';
import type { Storage } from '../store/storage.ts';
import { Consultations, EnvironmentState, type ModelState, VersionState } from './state.ts';

/** A checkpoint is written at every entry whose number this divides. */
export const checkpointEvery = 100;
const hintLimit = 10_000;
const checkpointLimit = 128_000_000;

/** The newest entry that its writer knew. It saves reads; nothing is believed for its sake. */
export const Hint = z.object({
  schema: z.literal('modelgate.head/1'),
  seq: z.number().int().positive().max(999_999_999_999),
  head: Digest,
});
export type Hint = z.infer<typeof Hint>;

/** The fold up to entry `seq`. Bump the schema whenever the fold gives another state for the same log. */
const Checkpoint = z.object({
  schema: z.literal('modelgate.checkpoint/2'),
  seq: z.number().int().positive(),
  head: Digest,
  versions: z.array(VersionState),
  environments: z.array(EnvironmentState),
  consultations: z.array(Consultations),
  op_ids: z.array(z.tuple([z.string(), z.number().int().positive()])),
});
const Sealed = z.object({ checkpoint: Checkpoint, digest: Digest });

export async function readHint(storage: Storage, model: string): Promise<Hint | null> {
  const parsed = Hint.safeParse(await readJson(storage, keys.head(model), hintLimit));
  return parsed.success ? parsed.data : null;
}

export async function writeHint(storage: Storage, model: string, hint: Omit<Hint, 'schema'>): Promise<void> {
  const content = canonicalJson({ schema: 'modelgate.head/1', ...hint });
  await storage.replace(keys.head(model), Buffer.from(content));
}

/** The stored fold up to `seq`, or null when there is none, or one that is damaged or of another version. */
export async function readCheckpoint(
  storage: Storage,
  model: string,
  seq: number,
): Promise<ModelState | null> {
  const parsed = Sealed.safeParse(await readJson(storage, keys.checkpoint(model, seq), checkpointLimit));
  if (!parsed.success) return null;
  const { checkpoint, digest } = parsed.data;
  if (checkpoint.seq !== seq || digestOf(checkpoint) !== digest) return null;
  return {
    model,
    seq,
    head: checkpoint.head,
    versions: checkpoint.versions,
    environments: new Map(checkpoint.environments.map((environment) => [environment.name, environment])),
    consultations: new Map(checkpoint.consultations.map((each) => [each.sha256, each])),
    op_ids: new Map(checkpoint.op_ids),
  };
}

export async function writeCheckpoint(storage: Storage, state: ModelState): Promise<void> {
  const checkpoint = checkpointOf(state);
  const content = canonicalJson({ checkpoint, digest: digestOf(checkpoint) });
  await storage.replace(keys.checkpoint(state.model, state.seq), Buffer.from(content));
}

/** Equal for equal states: what a checkpoint holds, by digest. */
export function stateDigest(state: ModelState): Digest {
  return digestOf(checkpointOf(state));
}

function checkpointOf(state: ModelState) {
  return {
    schema: 'modelgate.checkpoint/2',
    seq: state.seq,
    head: state.head,
    versions: state.versions,
    environments: [...state.environments.values()],
    consultations: [...state.consultations.values()],
    op_ids: [...state.op_ids],
  };
}

/** Parsed JSON, or null for anything else: caches are rebuilt, not mourned. */
async function readJson(storage: Storage, key: string, limit: number): Promise<unknown> {
  try {
    const bytes = await storage.read(key, limit);
    return bytes === null ? null : parseJson(bytes.toString('utf8'), limit);
  } catch {
    return null;
  }
}
