import { z } from 'zod';
import { Digest } from '../json.ts';
import type { LogReport } from './verify-log.ts';

/** An entry that somebody outside of the store remembers. */
export interface Anchor {
  model: string;
  seq: number;
  sha256: Digest;
}

/** `held`: the log has this entry. `gone`: it ends before it. `replaced`: another entry stands in its place. */
export const AnchorFinding = z.object({
  model: z.string(),
  seq: z.number(),
  sha256: Digest,
  finding: z.enum(['held', 'gone', 'replaced']),
});
export type AnchorFinding = z.infer<typeof AnchorFinding>;

export function compareAnchor(anchor: Anchor, report: LogReport | undefined): AnchorFinding {
  if (report === undefined || report.last < anchor.seq) return { ...anchor, finding: 'gone' };
  const held = report.hashes.get(anchor.seq) === anchor.sha256;
  return { ...anchor, finding: held ? 'held' : 'replaced' };
}

/** Null: every log holds what is remembered of it. Replaced history is worse than a missing end. */
export function judgeAnchors(findings: readonly AnchorFinding[]): 'forked' | 'rolled_back' | null {
  if (findings.some(({ finding }) => finding === 'replaced')) return 'forked';
  return findings.some(({ finding }) => finding === 'gone') ? 'rolled_back' : null;
}
