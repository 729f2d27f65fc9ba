import { z } from 'zod';
import { Name } from '../../names.ts';
import type { Markdown } from '../../report/markdown.ts';
import { oneLine } from '../../report/plain.ts';
import { embeddedJson, embedJson } from '../embedded.ts';
import type { SampleResult } from './result.ts';

/** Characters of the record in a comment: a third of what the comment may have. */
const limit = 20_000;
/** Parts of one run: GitHub makes as many jobs of a matrix. */
export const mostParts = 256;
const line = z.string().max(500);
const commit = z.string().regex(/^[0-9a-f]{40}$/);
const runParts = {
  sha: commit,
  run: z.number().int().positive(),
  attempt: z.number().int().positive(),
  url: line,
};

/** One part of a matrix, or the whole: shortened, still a stranger's words. */
export const SamplePart = z.object({
  /** Of the artifact: tells parts of one run apart. */
  artifact: line,
  /** What it says it is about, where the report is not of that model alone. */
  claims: Name.nullable(),
  verdict: z.enum(['pass', 'fail', 'inconclusive', 'error']),
  code: line,
  summary: line,
  reasons: z.array(line).max(10),
  contract: z.array(z.object({ id: line, level: z.enum(['failure', 'warning']), message: line })).max(20),
  /** Contract rules that did not hold, shown or not. */
  broken: z.number().int().nonnegative(),
});
export type SamplePart = z.infer<typeof SamplePart>;

/** What of the policy or the evaluation set differs; values as they are written, shortened. */
export const PolicyChange = z.object({ part: line, key: line, before: line, after: line });
export type PolicyChange = z.infer<typeof PolicyChange>;

/**
 * What a report was made from, kept in the comment itself: a later event makes it again. Whoever may write can edit a
 * comment of ours, so nothing but words is taken from it: verdicts that count come from the registry each time.
 */
export const ReportRecord = z.object({
  schema: z.literal('modelgate.report/1'),
  /** Null: the results that name no model of the default branch, or one report of many models. */
  model: Name.nullable(),
  sample: z
    .object({
      ...runParts,
      parts: z.array(SamplePart).max(mostParts),
      /** How many parts are not told one by one, by verdict. */
      left: z.partialRecord(SamplePart.shape.verdict, z.number().int().positive()).default({}),
    })
    .nullable(),
  /** The newest full training of a commit, whether or not it came to a verdict. */
  trained: z.object({ ...runParts, ended: z.enum(['judged', 'failed', 'cancelled']) }).nullable(),
  /** How policy and evaluation set of a commit differ from the default branch's. */
  policy: z.object({ sha: commit, base: commit, changes: z.array(PolicyChange).max(10) }).nullable(),
});
export type ReportRecord = z.infer<typeof ReportRecord>;

export const emptyRecord = (model: string | null): ReportRecord => ({
  schema: 'modelgate.report/1',
  model,
  sample: null,
  trained: null,
  policy: null,
});

/** First line of a report's comment: by it the comment is found again, where our app wrote it. */
export const reportMarker = (model: string | null): Markdown =>
  `<!-- modelgate:report${model === null ? '' : ` ${model}`} -->`;

/** What is kept of a part: characters, reasons, contract rules; less of each until the record has room. */
const rooms = [
  { characters: 400, reasons: 5, contract: 10 },
  { characters: 200, reasons: 3, contract: 5 },
  { characters: 100, reasons: 1, contract: 0 },
  { characters: 40, reasons: 0, contract: 0 },
] as const;

type Room = (typeof rooms)[number];

export function samplePart(
  result: SampleResult,
  { artifact, known }: { artifact: string; known: boolean },
): SamplePart {
  return shorten(
    {
      artifact,
      claims: known ? null : result.model,
      verdict: result.verdict,
      code: result.code,
      summary: result.summary,
      reasons: result.reasons,
      contract: result.contract,
      broken: result.contract.length,
    },
    rooms[0],
  );
}

function shorten(part: SamplePart, { characters, reasons, contract }: Room): SamplePart {
  const short = (words: string) => oneLine(words, characters);
  return {
    ...part,
    artifact: oneLine(part.artifact, 60),
    summary: short(part.summary),
    reasons: part.reasons.slice(0, reasons).map(short),
    contract: part.contract
      .slice(0, contract)
      .map(({ id, level, message }) => ({ id: oneLine(id, 100), level, message: short(message) })),
  };
}

/** The record in the form in which a comment keeps it. */
export function encodeReport(record: ReportRecord): Markdown {
  for (const room of rooms) {
    const text = encoded(record, room);
    if (text.length <= limit) return text;
  }
  return embedJson({ ...record, sample: null });
}

function encoded(record: ReportRecord, room: Room): Markdown {
  const { sample } = record;
  const parts = sample?.parts.map((part) => shorten(part, room)) ?? [];
  return embedJson(ReportRecord.parse({ ...record, sample: sample && { ...sample, parts } }));
}

/** With as many of the first parts as a comment can keep; the others are counted. */
export function withRoom(record: ReportRecord): ReportRecord {
  const { sample } = record;
  if (sample === null) return record;
  const first = (count: number): ReportRecord => {
    const left = { ...sample.left };
    for (const { verdict } of sample.parts.slice(count)) left[verdict] = (left[verdict] ?? 0) + 1;
    return { ...record, sample: { ...sample, left, parts: sample.parts.slice(0, count) } };
  };
  let count = sample.parts.length;
  while (count > 1 && encoded(first(count), rooms.at(-1) as Room).length > limit)
    count = Math.floor(count * 0.9);
  return first(count);
}

/** Null where there is none, or it is of another model. */
export function readReport(body: string, model: string | null): ReportRecord | null {
  const record = ReportRecord.safeParse(embeddedJson(body, limit + 200)).data;
  return record?.model === model ? record : null;
}
