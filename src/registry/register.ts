import type { Digest } from '../json.ts';
import type { Verdict } from '../outcome.ts';
import type { Actor } from './entries.ts';
import { readRecord } from './record.ts';
import type { Registry } from './registry.ts';

export interface RegisterRequest {
  model: string;
  /** Digest of the gate's manifest: it leads to the evaluation, the model and all that they were made from. */
  gate: Digest;
  actor: Actor;
}

export interface Registered {
  version: number;
  /** Digest of the model package. */
  manifest: Digest;
  verdict: Verdict;
  /** The log entry that registered it. */
  seq: number;
  head: Digest;
  /** False when this gate's result was registered before. */
  fresh: boolean;
}

/**
 * Makes a gated run a version, whatever its verdict: one that failed is on record too, and never promoted.
 * The operation ids come from the digests, so that a retry, or the same run elsewhere, gives the same
 * version. The consultation of the evaluation set is an entry of its own, written first: it is counted even
 * when we are killed between the two. Throws `record_incomplete`.
 */
export async function register(registry: Registry, request: RegisterRequest): Promise<Registered> {
  const { model, gate, actor } = request;
  const record = await readRecord(registry.store, gate);
  const consultation = `evaluate:${record.evaluation}`;
  await registry.commit({
    model,
    op_id: consultation,
    matches: (entry) => entry.type === 'evaluate' && entry.evaluation === record.evaluation,
    decide: () => ({
      actor,
      type: 'evaluate',
      op_id: consultation,
      evaluation_set: record.evaluation_set,
      manifest: record.manifest,
      evaluation: record.evaluation,
    }),
  });
  const op_id = `register:${gate}`;
  const committed = await registry.commit({
    model,
    op_id,
    matches: (entry) => entry.type === 'register' && entry.gate === gate,
    decide: (state) => ({
      actor,
      type: 'register',
      op_id,
      version: state.versions.length + 1,
      manifest: record.manifest,
      gate,
      verdict: record.verdict,
      on_inconclusive: record.on_inconclusive,
    }),
  });
  if (committed.status === 'nothing' || committed.entry.type !== 'register') {
    throw new Error('a registration gave no version');
  }
  const { version, manifest, verdict, seq } = committed.entry;
  return { version, manifest, verdict, seq, head: committed.head, fresh: committed.status === 'committed' };
}
