import { z } from 'zod';
import type { Markdown } from '../report/markdown.ts';
import { reasonCodes } from './context.ts';
import { embeddedJson, embedJson } from './embedded.ts';
import { isMacOf, macOf, type ReplyKey } from './reply-key.ts';

/** Longer ones are not ours. */
const limit = 40_000;
const line = z.string().max(2000);

/** What a reply says of its command, for scripts and for ourselves: after a crash the command goes on from it. */
export const ReplyRecord = z.object({
  schema: z.literal('modelgate.command/1'),
  op_id: z.string().regex(/^[0-9a-f]{64}$/),
  comment: z.number().int().positive(),
  command: z.string().max(40),
  requested_by: z.string().max(100),
  /** ISO 8601 in UTC: when the comment was written, and when the reply was last changed. */
  created_at: z.iso.datetime(),
  at: z.iso.datetime(),
  /** `accepted`: it is being looked at. */
  decision: z.enum(['accepted', 'done', 'started', 'refused', 'failed', 'planned']),
  reason: z.enum(reasonCodes).nullable(),
  summary: line,
  checks: z
    .array(z.object({ name: line, ok: z.boolean().nullable(), detail: line, fix: line.nullable() }))
    .max(40),
  operation: z
    .object({
      opId: z.string().max(128),
      kind: z.enum(['promote', 'rollback', 'train', 'retrain', 'drift']),
      workflow: z.string().max(200),
      inputs: z.record(z.string().max(100), line),
      model: z.string().max(63).nullable(),
      environment: z.string().max(63).nullable(),
      run: z.object({ id: z.number().int().positive(), url: z.string().max(500) }).nullable(),
      deployment: z.number().int().positive().nullable(),
    })
    .nullable(),
});
export type ReplyRecord = z.infer<typeof ReplyRecord>;

/** Finds a command's reply again. Believed only in comments that our app wrote. */
export const commandMarker = (commentId: number): Markdown => `<!-- modelgate:command ${commentId} -->`;

const Mac = z.object({ mac: z.string().regex(/^[0-9a-f]{64}$/) });

/** For scripts: one line of JSON that no content can end; signed where there is a key. */
export function encodeRecord(record: ReplyRecord, key: ReplyKey | null = null): Markdown {
  const parsed = ReplyRecord.parse(record);
  return embedJson(key === null ? parsed : { ...parsed, mac: macOf(parsed, key) });
}

/** Null where there is none, not one that this version understands, or with a key none that it has signed. */
export function readRecord(body: string, key: ReplyKey | null = null): ReplyRecord | null {
  const json = embeddedJson(body, limit);
  const record = ReplyRecord.safeParse(json).data ?? null;
  if (record === null || key === null) return record;
  const mac = Mac.safeParse(json).data?.mac;
  return mac !== undefined && isMacOf(mac, record, key) ? record : null;
}
