import { z } from 'zod';
import type { Code } from '../codes.ts';
import { UserError } from '../errors.ts';
import { Digest } from '../json.ts';
import { Name } from '../names.ts';
import type { Verdict } from '../outcome.ts';
import { Problem } from '../registry/findings.ts';
import { type Answer, answers, type Verification, verify as verifyRegistry } from '../registry/verify.ts';
import { type Anchor, AnchorFinding } from '../registry/verify-anchor.ts';
import { Sample, seedOf } from '../registry/verify-sample.ts';
import { isLogName } from '../store/keys.ts';
import { defineStage } from './define.ts';

const ends: Record<Answer, { verdict: Verdict; reason_code: Code; says: string }> = {
  sound: { verdict: 'pass', reason_code: 'done', says: 'The registry is sound' },
  damaged: { verdict: 'fail', reason_code: 'registry_unsound', says: 'The registry is damaged' },
  unanchored: {
    verdict: 'inconclusive',
    reason_code: 'registry_unanchored',
    says: 'The registry is intact, but the wanted anchor is missing: a cut-off end cannot be seen',
  },
  rolled_back: {
    verdict: 'fail',
    reason_code: 'registry_unsound',
    says: 'The end of a log is missing: the registry was rolled back or truncated',
  },
  forked: {
    verdict: 'fail',
    reason_code: 'registry_unsound',
    says: 'The log is not the one of the anchor: history was replaced',
  },
  unreachable: { verdict: 'fail', reason_code: 'registry_unreachable', says: 'The store cannot be read' },
};

/** Checks logs, manifests and objects; the answer tells the kinds of damage apart. */
export const verify = defineStage({
  name: 'verify',
  description: 'Checks the registry: logs, manifests, objects.',
  inputs: z.object({
    anchors: z
      .array(z.string())
      .max(1000)
      .default([])
      .describe(
        'SEQ:HASH or MODEL:SEQ:HASH of entries that are remembered elsewhere; one empty text when they should be there and are not.',
      ),
    model: Name.nullable()
      .default(null)
      .describe('The model of anchors that name none; not needed where there is only one.'),
    read_data: z.boolean().default(false).describe('Read every object and compare it with its digest.'),
    sample: Sample.partial({ seed: true })
      .nullable()
      .default(null)
      .describe('Read a part of them. Without a seed the day is it: a check a day reads everything in turn.'),
  }),
  outputs: z.object({
    answer: z.enum(answers),
    entries: z.number(),
    objects: z.number(),
    bytes: z.number(),
    missing: z.array(z.string()),
    bad: z.array(Problem),
    orphans: z.number(),
    read: z
      .object({ share: z.number(), seed: z.number().nullable(), objects: z.number(), bytes: z.number() })
      .nullable(),
    anchors: z.array(AnchorFinding),
    heads: z.array(z.object({ model: z.string(), seq: z.number(), sha256: Digest.nullable() })),
    reason: z.string().nullable(),
  }),
  cache: false,
  run: async ({ anchors, model, read_data, sample }, { store, registry, now }) => {
    const outputs = await verifyRegistry(store.storage, {
      read_data: sample === null ? read_data : { share: sample.share, seed: sample.seed ?? seedOf(now()) },
      anchor: await parseAnchors(anchors, model, registry),
    });
    const { verdict, reason_code } = ends[outputs.answer];
    return { verdict, reason_code, summary: summaryOf(outputs, anchors.length > 0), outputs };
  },
});

/** The answer in words, what it rests on, and what it cannot know. */
function summaryOf(outputs: Verification, anchored: boolean): string {
  const { answer, missing, bad, entries, objects, read, anchors, reason } = outputs;
  const found = missing.length + bad.length === 0 ? '' : ` (${missing.length} missing, ${bad.length} bad)`;
  if (reason !== null) return `${ends[answer].says}${found}: ${reason}`.replace(/\.?$/, '.');
  const counted = [`${entries} log entries`, `${objects} objects`];
  if (read !== null) counted.push(`${read.objects} of them read`);
  if (anchors.length > 0) {
    const held = anchors.filter(({ finding }) => finding === 'held');
    counted.push(`${held.length} of ${anchors.length} anchors held`);
  }
  const unseen =
    answer === 'sound' && !anchored
      ? ' Without an anchor, entries cut off at the end and a history replaced as a whole would not be seen.'
      : '';
  return `${ends[answer].says}${found}: ${counted.join(', ')}.${unseen}`;
}

async function parseAnchors(
  texts: readonly string[],
  model: string | null,
  registry: { models(): Promise<string[]> },
): Promise<Anchor[] | 'missing' | null> {
  if (texts.length === 0) return null;
  if (texts.length === 1 && texts[0] === '') return 'missing';
  const anchors: Anchor[] = [];
  for (const text of texts) anchors.push(await parseAnchor(text, model, registry));
  return anchors;
}

async function parseAnchor(
  text: string,
  model: string | null,
  registry: { models(): Promise<string[]> },
): Promise<Anchor> {
  const [, named, seq, sha256] = /^(?:([^:]+):)?(\d{1,12}):([0-9a-f]{64})$/.exec(text) ?? [];
  const known = named === undefined || isLogName(named);
  if (seq === undefined || sha256 === undefined || Number(seq) === 0 || !known) {
    throw new UserError({
      code: 'usage',
      message: 'The anchor is not SEQ:HASH or MODEL:SEQ:HASH.',
      where: '--anchor',
      fix: 'Give an entry’s number and the sha256 of its bytes, as promote and rollback print them (seq, head).',
    });
  }
  return { model: named ?? model ?? (await onlyModel(registry)), seq: Number(seq), sha256 };
}

async function onlyModel(registry: { models(): Promise<string[]> }): Promise<string> {
  const models = await registry.models().catch((error: unknown) => {
    if (error instanceof UserError) return []; // verify itself says that the store is unreachable
    throw error;
  });
  if (models.length > 1) {
    throw new UserError({
      code: 'usage',
      message: `The registry has ${models.length} models; the anchor belongs to one of them.`,
      where: '--anchor',
      fix: `Say which, as MODEL:SEQ:HASH or with --model: ${models.slice(0, 10).join(', ')}.`,
    });
  }
  return models[0] ?? 'unknown';
}
