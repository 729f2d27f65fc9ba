import { z } from 'zod';
import { Digest } from '../json.ts';
import { Name } from '../names.ts';
import { Verdict } from '../outcome.ts';

const text = z.string().min(1).max(1000);

export const Actor = z.object({
  /** A GitHub login, an operating system user, or a service's name. */
  name: z.string().min(1).max(100),
  /** How the actor came in. */
  via: z.enum(['cli', 'action', 'bot', 'service']),
});
export type Actor = z.infer<typeof Actor>;

const head = {
  schema: z.literal('modelgate.log/1'),
  /** Counts from 1, without gaps. */
  seq: z.number().int().positive(),
  /** sha256 of the bytes of entry seq − 1; null for the first. */
  prev: Digest.nullable(),
  /** Names the operation: the same one committed twice is one entry. */
  op_id: z.string().regex(/^[A-Za-z0-9._:-]{1,128}$/),
  /** When, by the writer's clock, ISO 8601 in UTC; nothing is ordered by it. */
  at: z.iso.datetime(),
  actor: Actor,
  reason: text.optional(),
};

const version = z.number().int().positive();

/** `signature`: somebody signed the files. `provenance`: a workflow says that it made them. */
export const AttestationKind = z.enum(['signature', 'provenance']);
export type AttestationKind = z.infer<typeof AttestationKind>;

/** A move of an environment. `generation` counts the environment's moves from 1. */
const move = {
  environment: Name,
  generation: z.number().int().positive(),
  version,
  /** Digest of the model package that serves from now on. */
  manifest: Digest,
  /** The version that served before. */
  from: version.nullable(),
  /** What was verified before this move, where the environment asks for it: the attestation, and who signed. */
  proof: z
    .array(z.object({ kind: AttestationKind, attestation: Digest, signer: text }))
    .max(2)
    .optional(),
};

/** Without repetitions. */
const Garbage = z
  .array(Digest)
  .min(1)
  .max(100_000)
  .refine((objects) => new Set(objects).size === objects.length, 'must not name a digest twice');

export const LogEntry = z.discriminatedUnion('type', [
  z.object({
    ...head,
    type: z.literal('register'),
    version,
    manifest: Digest,
    gate: Digest,
    verdict: Verdict,
    /** What the policy lets follow from an undecided verdict; left out: it blocks. */
    on_inconclusive: z.enum(['block', 'approve', 'pass']).optional(),
  }),
  /** One consultation of an evaluation set. */
  z.object({
    ...head,
    type: z.literal('evaluate'),
    evaluation_set: z.object({ id: Name, sha256: Digest }),
    manifest: Digest,
    evaluation: Digest,
  }),
  /** A signed statement about a version's package is kept; whether it is believed is asked at each move. */
  z.object({
    ...head,
    type: z.literal('attest'),
    version,
    manifest: Digest,
    kind: AttestationKind,
    /** Digest of the attestation's manifest. */
    attestation: Digest,
    /** Who signed, as the bundle says: a key's id or a certificate's subject. */
    signer: text,
  }),
  z.object({ ...head, type: z.literal('request'), environment: Name, version, manifest: Digest }),
  /** Another person's answer to a request: entry number `request`. */
  z.object({
    ...head,
    type: z.literal('approve'),
    environment: Name,
    version,
    manifest: Digest,
    request: z.number().int().positive(),
  }),
  z.object({
    ...head,
    ...move,
    type: z.literal('promote'),
    /** Present when a permitted person went past the gate's verdict: who, and why. */
    override: z.object({ by: text, reason: text }).optional(),
    /** Present when it was approved: who asked, who approved, and the approval's entry. */
    approval: z.object({ requested_by: text, approved_by: text, seq: version }).optional(),
  }),
  z.object({
    ...head,
    ...move,
    type: z.literal('rollback'),
    /** False: what it left may be promoted there again, as after a drill. Left out: it may not. */
    freeze: z.literal(false).optional(),
  }),
  z.object({
    ...head,
    type: z.literal('lock'),
    environment: Name,
    owner: text,
    /** ISO 8601 in UTC; a lock past it holds nobody. */
    until: z.iso.datetime().nullable(),
  }),
  z.object({ ...head, type: z.literal('unlock'), environment: Name }),
  z.object({ ...head, type: z.literal('retire'), version }),
  // The store's own log: digests of objects and manifests.
  z.object({ ...head, type: z.literal('gc-mark'), objects: Garbage }),
  z.object({ ...head, type: z.literal('gc-cancel'), objects: Garbage }),
  /** From here on these are being removed: nobody may count on them. */
  z.object({ ...head, type: z.literal('gc-sweep'), objects: Garbage }),
  /** They are gone, and may be stored again. */
  z.object({ ...head, type: z.literal('gc-swept'), objects: Garbage }),
]);
export type LogEntry = z.infer<typeof LogEntry>;
export type LogEntryType = LogEntry['type'];
type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;
/** An entry before it is given its place in the log. */
export type Intent = DistributiveOmit<LogEntry, 'schema' | 'seq' | 'prev' | 'at'>;

/** Digests of manifests that an entry is about: what it names must be there. */
export function manifestsOf(entry: DistributiveOmit<LogEntry, 'prev'>): Digest[] {
  switch (entry.type) {
    case 'register':
      return [entry.manifest, entry.gate];
    case 'evaluate':
      return [entry.manifest, entry.evaluation];
    case 'attest':
      return [entry.manifest, entry.attestation];
    case 'promote':
    case 'rollback':
    case 'request':
    case 'approve':
      return [entry.manifest];
    default:
      return [];
  }
}
