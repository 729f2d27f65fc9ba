import { z } from 'zod';
import type { Code } from '../codes.ts';
import { UserError } from '../errors.ts';
import { Digest } from '../json.ts';
import { Name } from '../names.ts';
import type { Verdict } from '../outcome.ts';
import { Problem } from '../registry/findings.ts';
import { type Anchor, type Answer, answers, verify as verifyRegistry } from '../registry/verify.ts';
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
    anchor: z
      .string()
      .nullable()
      .default(null)
      .describe(
        'SEQ:HASH of an entry that is remembered elsewhere; empty when it should be there and is not.',
      ),
    model: Name.nullable().default(null).describe("The anchor's model; not needed where there is only one."),
    read_data: z.boolean().default(false).describe('Read every object and compare it with its digest.'),
  }),
  outputs: z.object({
    answer: z.enum(answers),
    entries: z.number(),
    objects: z.number(),
    bytes: z.number(),
    missing: z.array(z.string()),
    bad: z.array(Problem),
    orphans: z.number(),
    heads: z.array(z.object({ model: Name, seq: z.number(), sha256: Digest.nullable() })),
    reason: z.string().nullable(),
  }),
  cache: false,
  run: async ({ anchor, model, read_data }, { store, registry }) => {
    const outputs = await verifyRegistry(store.storage, {
      read_data,
      anchor: anchor === null ? null : anchor === '' ? 'missing' : await parseAnchor(anchor, model, registry),
    });
    const { answer, entries, objects, missing, bad, reason } = outputs;
    const { verdict, reason_code, says } = ends[answer];
    const found = missing.length + bad.length === 0 ? '' : ` (${missing.length} missing, ${bad.length} bad)`;
    return {
      verdict,
      reason_code,
      summary:
        `${says}${found}${reason === null ? `: ${entries} log entries, ${objects} objects` : `: ${reason}`}`.replace(
          /\.?$/,
          '.',
        ),
      outputs,
    };
  },
});

async function parseAnchor(
  text: string,
  model: string | null,
  registry: { models(): Promise<string[]> },
): Promise<Anchor> {
  const [, seq, sha256] = /^(\d{1,12}):([0-9a-f]{64})$/.exec(text) ?? [];
  if (seq === undefined || sha256 === undefined || Number(seq) === 0) {
    throw new UserError({
      code: 'usage',
      message: 'The anchor is not SEQ:HASH.',
      where: '--anchor',
      fix: 'Give an entry’s number and the sha256 of its bytes, as promote and rollback print them (seq, head).',
    });
  }
  return { model: model ?? (await onlyModel(registry)), seq: Number(seq), sha256 };
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
      fix: `Say which with --model: ${models.slice(0, 10).join(', ')}.`,
    });
  }
  return models[0] ?? 'unknown';
}
