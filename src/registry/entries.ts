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

/** A move of an environment. `generation` counts the environment's moves from 1. */
const move = {
  environment: Name,
  generation: z.number().int().positive(),
  version,
  /** Digest of the model package that serves from now on. */
  manifest: Digest,
  /** The version that served before. */
  from: version.nullable(),
};

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
  z.object({ ...head, ...move, type: z.literal('rollback') }),
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
  z.object({ ...head, type: z.literal('gc-mark'), objects: z.array(Digest).max(100_000) }),
  z.object({ ...head, type: z.literal('gc-cancel'), objects: z.array(Digest).max(100_000) }),
]);
export type LogEntry = z.infer<typeof LogEntry>;
export type LogEntryType = LogEntry['type'];
type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;
/** An entry before it is given its place in the log. */
export type Intent = DistributiveOmit<LogEntry, 'schema' | 'seq' | 'prev' | 'at'>;
