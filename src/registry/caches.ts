import { z } from 'zod';
import { canonicalJson, Digest, digestOf, parseJson, sha256 } from '../json.ts';
import { keys } from '../store/keys.ts';
import type { Storage } from '../store/storage.ts';
import { Consultations, EnvironmentState, type ModelState, OverrideCounts, VersionState } from './state.ts';

/** A checkpoint is written at every entry whose number this divides. */
export const checkpointEvery = 100;
/** Those whose number this divides stay, for questions about the past; the others share ten places. */
const keptEvery = 10_000;
const places = 10;
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
  schema: z.literal('modelgate.checkpoint/6'),
  seq: z.number().int().positive(),
  head: Digest,
  versions: z.array(VersionState),
  environments: z.array(EnvironmentState),
  consultations: z.array(Consultations),
  overrides: OverrideCounts,
  latest: z.iso.datetime().nullable(),
  op_ids: z.array(z.tuple([z.string(), z.number().int().positive()])),
});
/** A sealed checkpoint is the JSON object `{checkpoint, digest}`, with the sha256 of the former's text. */
const [sealHead, sealMiddle, sealEnd] = ['{"checkpoint":', ',"digest":"', '"}'];
const sealTail = sealMiddle.length + 64 + sealEnd.length;

export async function readHint(storage: Storage, model: string): Promise<Hint | null> {
  const parsed = Hint.safeParse(await readJson(storage, keys.head(model), hintLimit));
  return parsed.success ? parsed.data : null;
}

export async function writeHint(storage: Storage, model: string, hint: Omit<Hint, 'schema'>): Promise<void> {
  const content = canonicalJson({ schema: 'modelgate.head/1', ...hint });
  await storage.replace(keys.head(model), Buffer.from(content));
}

/** Where the checkpoint of an entry is kept: a later one may take its place, unless it stays. */
export function checkpointKey(model: string, seq: number): string {
  const cycle = checkpointEvery * places;
  return keys.checkpoint(model, seq % keptEvery === 0 ? seq : ((seq - 1) % cycle) + 1);
}

/** Whether nothing has taken a checkpoint's place in a log of `end` entries. */
export function checkpointStands(seq: number, end: number): boolean {
  if (seq % checkpointEvery !== 0 || seq > end) return false;
  return seq % keptEvery === 0 || end - seq < checkpointEvery * places;
}

/** Numbers of the checkpoints that a log of `end` entries may have, newest first. */
export function* checkpointNumbers(end: number): Generator<number> {
  const newest = end - (end % checkpointEvery);
  const oldest = newest - checkpointEvery * (places - 1);
  for (let seq = newest; seq >= Math.max(1, oldest); seq -= checkpointEvery) yield seq;
  const kept = oldest - 1 - ((oldest - 1) % keptEvery);
  for (let seq = kept; seq > 0; seq -= keptEvery) yield seq;
}

/** Numbers of the checkpoints that stay, in a log of `end` entries: every `keptEvery`-th, this many. */
export function keptCheckpoints(end: number): { every: number; count: number } {
  return { every: keptEvery, count: Math.floor(end / keptEvery) };
}

/** The stored fold up to `seq`, or null when there is none, or one that is damaged or of another version. */
export async function readCheckpoint(
  storage: Storage,
  model: string,
  seq: number,
): Promise<ModelState | null> {
  const checkpoint = unseal(await readBytes(storage, checkpointKey(model, seq), checkpointLimit));
  if (checkpoint?.seq !== seq) return null;
  return {
    model,
    seq,
    head: checkpoint.head,
    versions: checkpoint.versions,
    environments: new Map(checkpoint.environments.map((environment) => [environment.name, environment])),
    consultations: new Map(checkpoint.consultations.map((each) => [each.sha256, each])),
    overrides: checkpoint.overrides,
    latest: checkpoint.latest,
    op_ids: new Map(checkpoint.op_ids),
  };
}

export async function writeCheckpoint(storage: Storage, state: ModelState): Promise<void> {
  const text = canonicalJson(checkpointOf(state));
  const content = `${sealHead}${text}${sealMiddle}${sha256(text)}${sealEnd}`;
  await storage.replace(checkpointKey(state.model, state.seq), Buffer.from(content));
}

/** Equal for equal states: what a checkpoint holds, by digest. */
export function stateDigest(state: ModelState): Digest {
  return digestOf(checkpointOf(state));
}

/** How long a state's checkpoint is, about, in characters. */
export function stateSize(state: ModelState): number {
  return canonicalJson(checkpointOf(state)).length;
}

function checkpointOf(state: ModelState) {
  return {
    schema: 'modelgate.checkpoint/6',
    seq: state.seq,
    head: state.head,
    versions: state.versions,
    environments: [...state.environments.values()],
    consultations: [...state.consultations.values()],
    overrides: state.overrides,
    latest: state.latest,
    op_ids: [...state.op_ids],
  };
}

/** The text is hashed as it stands: to write a state of a thousand versions anew would take longer than to read it. */
function unseal(bytes: Buffer | null): z.infer<typeof Checkpoint> | null {
  const text = bytes?.toString('utf8') ?? '';
  const inner = text.slice(sealHead.length, -sealTail);
  if (text !== `${sealHead}${inner}${sealMiddle}${sha256(inner)}${sealEnd}`) return null;
  try {
    return Checkpoint.safeParse(parseJson(inner, checkpointLimit)).data ?? null;
  } catch {
    return null;
  }
}

/** Parsed JSON, or null for anything else: caches are rebuilt, not mourned. */
async function readJson(storage: Storage, key: string, limit: number): Promise<unknown> {
  const bytes = await readBytes(storage, key, limit);
  try {
    return bytes === null ? null : parseJson(bytes.toString('utf8'), limit);
  } catch {
    return null;
  }
}

async function readBytes(storage: Storage, key: string, limit: number): Promise<Buffer | null> {
  try {
    return await storage.read(key, limit);
  } catch {
    return null;
  }
}
