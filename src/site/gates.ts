import { z } from 'zod';
import { UserError } from '../errors.ts';
import { Check } from '../gate/check.ts';
import { type Digest, parseJson } from '../json.ts';
import type { Store } from '../store/store.ts';

/** What the site shows of a gate's result. */
export interface GateView {
  /** Rows that both models were scored on; null where the result does not say. */
  rows: number | null;
  /** The id of the pinned evaluation set. */
  set: string | null;
  /** The first metric that blocks: the one that decides. Null where there is none. */
  metric: MetricView | null;
  /** Why the verdict is what it is, the decisive one first; some at most. */
  reasons: string[];
}

/** Differences are candidate − champion, higher is better; `low` and `high` are the one-sided bounds that decide. */
export type MetricView = Pick<
  Check,
  'title' | 'verdict' | 'champion' | 'candidate' | 'diff' | 'low' | 'high' | 'margin'
>;

/** Bytes of a gate.json that is read. */
const limit = 8_000_000;
const mostReasons = 5;

const Result = z.object({
  rows: z.number().nullish(),
  evaluation_set: z.object({ id: z.string() }).nullish(),
  reasons: z.array(z.string()).default([]),
  checks: z.array(z.unknown()).default([]),
});

/** What a version's gate saw. Null where its result is not in the store any more or cannot be read. */
export async function readGate(store: Store, gate: Digest): Promise<GateView | null> {
  try {
    const { files } = await store.readManifest(gate, 'gate');
    const file = files.find(({ name }) => name === 'gate.json');
    if (file === undefined || file.size > limit) return null;
    const text = (await store.readBytes(file.sha256, limit)).toString('utf8');
    return viewOf(Result.parse(parseJson(text, limit)));
  } catch (error) {
    if (isUnreadable(error)) return null;
    throw error;
  }
}

function viewOf({ rows = null, evaluation_set, reasons, checks }: z.infer<typeof Result>): GateView {
  const metrics = checks.flatMap((one) => Check.safeParse(one).data ?? []).filter(isMetric);
  const decides = metrics.find(({ effect }) => effect === 'blocks') ?? metrics[0];
  return {
    rows,
    set: evaluation_set?.id ?? null,
    metric: decides ?? null,
    reasons: reasons.slice(0, mostReasons),
  };
}

const isMetric = ({ kind }: Check): boolean => kind === 'metric';

/** Something of one version is gone, damaged or of another form; a store that does not answer is another matter. */
export function isUnreadable(error: unknown): boolean {
  if (error instanceof UserError) return ['object_missing', 'object_damaged', 'usage'].includes(error.code);
  return error instanceof z.ZodError || error instanceof SyntaxError;
}
