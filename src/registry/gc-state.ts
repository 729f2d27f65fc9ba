import type { Digest } from '../json.ts';
import { follows, logDamaged, type Placed } from './chain.ts';

/**
 * What the store's log says of a digest: `marked`, it may be swept once the mark is old enough and nothing leads
 * there; `sweeping`, it is being removed and nobody may count on it.
 */
export interface Mark {
  state: 'marked' | 'sweeping';
  /** The entry that says so, and when its writer's clock said it was written. */
  seq: number;
  at: string;
}

/** What the store's log says up to entry `seq`. Values are never changed in place. */
export interface GcState {
  readonly seq: number;
  readonly head: Digest | null;
  /** Digests without a mark are left alone. */
  readonly marks: ReadonlyMap<Digest, Readonly<Mark>>;
}

export const emptyGcState: GcState = { seq: 0, head: null, marks: new Map() };

/**
 * The state after these entries, which must follow on `state` without a gap. Throws `log_damaged` for a broken
 * chain and for entries that no writer who keeps the rules can have made: a digest goes from nothing to marked, from
 * there back (cancelled) or on to sweeping, and from there to nothing.
 */
export function foldGc(state: GcState, entries: readonly Placed[]): GcState {
  if (entries.length === 0) return state;
  const marks = new Map(state.marks);
  let { seq, head } = state;
  for (const placed of entries) {
    const { entry } = placed;
    const where = `log of the store, entry ${entry.seq}`;
    if (!follows({ seq, head }, placed)) {
      throw logDamaged('A log entry does not follow on the one before it.', where);
    }
    const { before, after } = moveOf(entry.type, where);
    for (const digest of 'objects' in entry ? entry.objects : []) {
      if (marks.get(digest)?.state !== before) {
        throw logDamaged(`A ${entry.type} names what no such entry may name.`, where);
      }
      if (after === undefined) marks.delete(digest);
      else marks.set(digest, { state: after, seq: entry.seq, at: entry.at });
    }
    seq = entry.seq;
    head = placed.head;
  }
  return { seq, head, marks };
}

interface Step {
  before: Mark['state'] | undefined;
  after: Mark['state'] | undefined;
}

const steps: Readonly<Record<string, Step>> = {
  'gc-mark': { before: undefined, after: 'marked' },
  'gc-cancel': { before: 'marked', after: undefined },
  'gc-sweep': { before: 'marked', after: 'sweeping' },
  'gc-swept': { before: 'sweeping', after: undefined },
};

function moveOf(type: string, where: string): Step {
  const step = steps[type];
  if (step === undefined) throw logDamaged(`A ${type} stands in the store's log.`, where);
  return step;
}
