import { UserError } from '../errors.ts';
import type { Digest } from '../json.ts';
import { Name } from '../names.ts';
import { keys } from '../store/keys.ts';
import type { Storage } from '../store/storage.ts';
import { type Hint, readHint } from './caches.ts';
import { Findings, type Problem } from './findings.ts';
import { checkObjectBytes, checkReachable, takeInventory } from './inventory.ts';
import { type LogReport, verifyLog } from './verify-log.ts';

export const answers = ['sound', 'damaged', 'unanchored', 'rolled_back', 'forked', 'unreachable'] as const;
export type Answer = (typeof answers)[number];

/** An entry that somebody outside of the store remembers. */
export interface Anchor {
  model: string;
  seq: number;
  sha256: Digest;
}

export interface VerifyOptions {
  /** `missing`: one was wanted and could not be had. */
  anchor: Anchor | 'missing' | null;
  /** Read every object and compare it with its digest. */
  read_data: boolean;
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
  bad: Problem[];
  /** Objects and manifests that no log leads to: unregistered runs and caches. No damage. */
  orphans: number;
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
  try {
    return await examine(storage, options);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return {
      answer: 'unreachable',
      entries: 0,
      objects: 0,
      bytes: 0,
      missing: [],
      bad: [],
      orphans: 0,
      heads: [],
      reason: error.message,
    };
  }
}

async function examine(storage: Storage, { anchor, read_data }: VerifyOptions): Promise<Verification> {
  const findings = new Findings();
  // Hints before logs: a commit between the two makes a hint old, never new.
  const hints = await readHints(storage);
  const logs = await listLogs(storage, findings);
  const reports = new Map<string, LogReport>();
  for (const model of new Set([...logs.keys(), ...hints.keys()])) {
    const seqs = logs.get(model) ?? [];
    reports.set(model, await verifyLog(storage, model, seqs, hints.get(model) ?? null, findings));
  }
  const inventory = await takeInventory(storage, findings);
  const roots = [...reports.values()].flatMap((report) => report.roots);
  const reached = await checkReachable(storage, roots, inventory, findings);
  if (read_data) await checkObjectBytes(storage, inventory, findings);

  const answer = judge(findings, reports, anchor);
  const stored = [...inventory.objects, ...inventory.manifests];
  const sum = (values: number[]) => values.reduce((total, value) => total + value, 0);
  return {
    answer,
    entries: sum([...reports.values()].map(({ hashes }) => hashes.size)),
    objects: stored.length,
    bytes: sum([...reports.values()].map((report) => report.bytes)) + sum(stored.map(([, size]) => size)),
    missing: findings.missingList,
    bad: findings.badList,
    orphans: stored.filter(([digest]) => !reached.has(digest)).length,
    heads: [...reports].map(([model, { last, hashes }]) => ({
      model,
      seq: last,
      sha256: hashes.get(last) ?? null,
    })),
    reason: null,
  };
}

/** Damage first: in a damaged log nobody can say what was cut off or replaced. */
function judge(findings: Findings, reports: Map<string, LogReport>, anchor: VerifyOptions['anchor']): Answer {
  const damaged = findings.any;
  for (const [model, { contested, last }] of reports) {
    if (!contested) continue;
    findings.bad(keys.log(model, last), 'its hash is not the one that its writer left in the hint');
  }
  if (damaged) return 'damaged';
  const compared =
    anchor === null || anchor === 'missing' ? null : compare(anchor, reports.get(anchor.model));
  if (compared !== null) return compared;
  if ([...reports.values()].some(({ truncated }) => truncated)) return 'rolled_back';
  if (findings.any) return 'damaged';
  return anchor === 'missing' ? 'unanchored' : 'sound';
}

/** Null: the log holds the anchored entry, or grew on from it. */
function compare(anchor: Anchor, report: LogReport | undefined): 'rolled_back' | 'forked' | null {
  if (report === undefined || report.last < anchor.seq) return 'rolled_back';
  return report.hashes.get(anchor.seq) === anchor.sha256 ? null : 'forked';
}

async function readHints(storage: Storage): Promise<Map<string, Hint>> {
  const hints = new Map<string, Hint>();
  for await (const { key } of storage.list(keys.heads())) {
    const model = /^heads\/(.+)\.json$/.exec(key)?.[1];
    if (model === undefined || !Name.safeParse(model).success) continue;
    const hint = await readHint(storage, model);
    if (hint !== null) hints.set(model, hint);
  }
  return hints;
}

/** Numbers of entries by model. What lies in the log's folder under another name is told. */
async function listLogs(storage: Storage, findings: Findings): Promise<Map<string, number[]>> {
  const logs = new Map<string, number[]>();
  for await (const { key } of storage.list(keys.logs())) {
    const [, model = '', number = ''] = /^log\/([^/]+)\/(\d{12})\.json$/.exec(key) ?? [];
    if (!Name.safeParse(model).success || Number(number) === 0) {
      findings.bad(key, 'not a name that the store makes');
      continue;
    }
    const seqs = logs.get(model) ?? [];
    seqs.push(Number(number));
    logs.set(model, seqs);
  }
  return logs;
}
