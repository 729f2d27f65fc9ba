import { UserError } from '../errors.ts';
import type { Digest } from '../json.ts';
import { isLogName, keys } from '../store/keys.ts';
import type { Storage } from '../store/storage.ts';
import { type Hint, readHint } from './caches.ts';
import { Findings, type Problem } from './findings.ts';
import { checkBytes, checkReachable, takeInventory } from './inventory.ts';
import { type Anchor, type AnchorFinding, compareAnchor, judgeAnchors } from './verify-anchor.ts';
import { type LogReport, verifyLog } from './verify-log.ts';
import { listPlain } from './verify-read.ts';
import { isSampled, type Sample } from './verify-sample.ts';

export type { Anchor } from './verify-anchor.ts';

export const answers = ['sound', 'damaged', 'unanchored', 'rolled_back', 'forked', 'unreachable'] as const;
export type Answer = (typeof answers)[number];

export interface VerifyOptions {
  /** `missing`: one was wanted and could not be had. */
  anchor: Anchor | readonly Anchor[] | 'missing' | null;
  /** Read every object and manifest, or a sample of them, and compare their bytes with their digests. */
  read_data: boolean | Sample;
}

export interface Verification {
  answer: Answer;
  /** Log entries read. */
  entries: number;
  /** Objects and manifests in the store. */
  objects: number;
  /** Bytes of log entries, objects and manifests. */
  bytes: number;
  /** Keys, the first 1000. */
  missing: string[];
  /** What is wrong and where, the first 1000; what could not be read stands here too. */
  bad: Problem[];
  /** Objects and manifests that no log leads to: unregistered runs and caches. No damage. */
  orphans: number;
  /** Objects and manifests whose bytes were compared with their digests; null when none were asked for. */
  read: { share: number; seed: number | null; objects: number; bytes: number } | null;
  /** What each given anchor met. */
  anchors: AnchorFinding[];
  /** The newest entry of each model: the next anchor. */
  heads: { model: string; seq: number; sha256: Digest | null }[];
  /** Why the store could not be read; null when it could. */
  reason: string | null;
}

/**
 * Checks the whole registry and believes none of it: form and chain of the logs, the rules of the fold,
 * manifests and files that they lead to. Never throws for what stands in the store. A chain alone does not
 * see that its end was cut off: an anchor does.
 */
export async function verify(storage: Storage, options: VerifyOptions): Promise<Verification> {
  const findings = new Findings();
  try {
    return await examine(storage, options, findings);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return {
      answer: 'unreachable',
      entries: 0,
      objects: 0,
      bytes: 0,
      missing: [],
      bad: findings.unreadList,
      orphans: 0,
      read: null,
      anchors: [],
      heads: [],
      reason: error.message,
    };
  }
}

async function examine(storage: Storage, options: VerifyOptions, findings: Findings): Promise<Verification> {
  // Hints before logs: a commit between the two makes a hint old, never new.
  const hints = await readHints(storage, findings);
  const logs = await listLogs(storage, findings);
  const reports = new Map<string, LogReport>();
  for (const model of new Set([...logs.keys(), ...hints.keys()])) {
    const seqs = logs.get(model) ?? [];
    reports.set(model, await verifyLog(storage, model, seqs, hints.get(model) ?? null, findings));
  }
  const inventory = await takeInventory(storage, findings);
  const roots = new Set<Digest>();
  for (const report of reports.values()) for (const root of report.roots) roots.add(root);
  const reached = await checkReachable(storage, roots, inventory, findings);
  const sample = options.read_data === true ? { share: 1, seed: null } : options.read_data || null;
  const read =
    sample === null
      ? null
      : { ...sample, ...(await checkBytes(storage, inventory, chosenBy(sample), findings)) };

  const anchors = anchorsOf(options).map((anchor) => compareAnchor(anchor, reports.get(anchor.model)));
  const answer = judge(findings, reports, anchors, options.anchor === 'missing');
  const total = { entries: 0, objects: 0, bytes: 0, orphans: 0 };
  for (const report of reports.values()) {
    total.entries += report.hashes.size;
    total.bytes += report.bytes;
  }
  for (const stored of [inventory.objects, inventory.manifests]) {
    for (const [digest, size] of stored) {
      total.objects += 1;
      total.bytes += size;
      if (!reached.has(digest)) total.orphans += 1;
    }
  }
  const [unread] = findings.unreadList;
  return {
    answer,
    ...total,
    missing: findings.missingList,
    bad: [...findings.badList, ...findings.unreadList],
    read,
    anchors,
    heads: [...reports].map(([model, { last, hashes }]) => ({
      model,
      seq: last,
      sha256: hashes.get(last) ?? null,
    })),
    reason: unread === undefined ? null : `${unread.key} could not be read: ${unread.problem}`,
  };
}

const anchorsOf = ({ anchor }: VerifyOptions): readonly Anchor[] =>
  anchor === null || anchor === 'missing' ? [] : 'seq' in anchor ? [anchor] : anchor;

function chosenBy({ share, seed }: { share: number; seed: number | null }): (digest: Digest) => boolean {
  return seed === null ? () => true : (digest) => isSampled(digest, { share, seed });
}

/**
 * Damage first: in a damaged log nobody can say what was cut off or replaced. What could not be read at all
 * may hide anything but the damage that was seen.
 */
function judge(
  findings: Findings,
  reports: Map<string, LogReport>,
  anchors: readonly AnchorFinding[],
  unanchored: boolean,
): Answer {
  const damaged = findings.any;
  for (const [model, { contested, last }] of reports) {
    if (!contested) continue;
    findings.bad(keys.log(model, last), 'its hash is not the one that its writer left in the hint');
  }
  if (damaged) return 'damaged';
  if (findings.unreadList.length > 0) return 'unreachable';
  const compared = judgeAnchors(anchors);
  if (compared !== null) return compared;
  if ([...reports.values()].some(({ truncated }) => truncated)) return 'rolled_back';
  if (findings.any) return 'damaged';
  return unanchored ? 'unanchored' : 'sound';
}

async function readHints(storage: Storage, findings: Findings): Promise<Map<string, Hint>> {
  const hints = new Map<string, Hint>();
  for await (const { key } of listPlain(storage, keys.heads(), findings)) {
    const model = /^heads\/([^/]+)\.json$/.exec(key)?.[1];
    if (model === undefined || !isLogName(model)) continue;
    const hint = await readHint(storage, model);
    if (hint !== null) hints.set(model, hint);
  }
  return hints;
}

/** Numbers of entries by model. What lies in the log's folder under another name is told. */
async function listLogs(storage: Storage, findings: Findings): Promise<Map<string, number[]>> {
  const logs = new Map<string, number[]>();
  for await (const { key } of listPlain(storage, keys.logs(), findings)) {
    const [, model = '', number = ''] = /^log\/([^/]+)\/(\d{12})\.json$/.exec(key) ?? [];
    if (!isLogName(model) || Number(number) === 0) {
      findings.bad(key, 'not a name that the store makes');
      continue;
    }
    const seqs = logs.get(model) ?? [];
    seqs.push(Number(number));
    logs.set(model, seqs);
  }
  return logs;
}
