import { isDrill } from './drills.ts';
import type { LogEntry } from './entries.ts';

/** What a monitoring check said of a version in an environment. */
export interface RecordedCheck {
  environment: string;
  version: number;
  /** End of the window that it judged, ISO 8601. */
  at: string;
  alarm: boolean;
}

/** A wait that ended at `at`; null seconds: its begin is not known. `second`: it begins by the second best sign. */
interface Wait {
  at: string;
  seconds: number | null;
  second: boolean;
}

/** What a log tells of deliveries, each with its moment. Rollback drills are left out of all of them. */
export interface DeliveryEvents {
  deployments: { at: string; version: number; failed: boolean }[];
  leads: Wait[];
  restores: Wait[];
  /** To any environment. */
  promotions: { at: string; overridden: boolean }[];
  /** Versions that the gate blocked, and whether their package turned out good. */
  blocked: { at: string; manifest: string; good: boolean }[];
}

type Move = Extract<LogEntry, { type: 'promote' | 'rollback' }>;
type Registration = Extract<LogEntry, { type: 'register' }>;

/** Reads the events off a log's entries, oldest first. */
export function deliveryEvents(request: {
  entries: readonly LogEntry[];
  environment: string;
  trainedAt: ReadonlyMap<string, string>;
  checks: readonly RecordedCheck[];
}): DeliveryEvents {
  const { environment, trainedAt } = request;
  const entries = request.entries.filter((entry) => !isDrill(entry));
  const events: DeliveryEvents = { deployments: [], leads: [], restores: [], promotions: [], blocked: [] };
  const registered = new Map<string, string>();
  const arrived = new Set<string>();
  const packages = new Map<number, string>();
  /** Packages that were blocked → whether they turned out good, as far as the log was read. */
  const good = new Map<string, boolean>();
  let serving: { version: number; at: string } | null = null;
  for (const entry of entries) {
    if (entry.type === 'register') {
      packages.set(entry.version, entry.manifest);
      if (!registered.has(entry.manifest)) registered.set(entry.manifest, entry.at);
      if (isBlocked(entry)) events.blocked.push({ at: entry.at, manifest: entry.manifest, good: false });
      else if (entry.verdict === 'pass') good.set(entry.manifest, true);
    }
    if (entry.type === 'promote') {
      events.promotions.push({ at: entry.at, overridden: entry.override !== undefined });
      if (entry.override !== undefined) good.set(entry.manifest, true);
    }
    if (isUndoing(entry) && entry.freeze !== false) {
      const left = packages.get(entry.from as number);
      if (left !== undefined && left !== entry.manifest) good.set(left, false);
    }
    if ((entry.type !== 'promote' && entry.type !== 'rollback') || entry.environment !== environment)
      continue;
    if (entry.type === 'promote') {
      events.deployments.push({ at: entry.at, version: entry.version, failed: false });
      const began = trainedAt.get(entry.manifest);
      const known = registered.get(entry.manifest);
      // a package registered before the entries begin may have been here before them
      if (!arrived.has(entry.manifest) && known !== undefined)
        events.leads.push({
          at: entry.at,
          seconds: secondsBetween(began ?? known, entry.at),
          second: began === undefined,
        });
    } else if (isUndoing(entry)) {
      const undone = events.deployments.findLast(({ version }) => version === entry.from);
      if (undone !== undefined) undone.failed = true;
      events.restores.push(restoreOf(entry, serving, request.checks));
    }
    arrived.add(entry.manifest);
    serving = { version: entry.version, at: entry.at };
  }
  for (const one of events.blocked) one.good = good.get(one.manifest) === true;
  return events;
}

/** An undecided version that the policy lets pass was not blocked. */
function isBlocked({ verdict, on_inconclusive }: Registration): boolean {
  return verdict !== 'pass' && !(verdict === 'inconclusive' && on_inconclusive === 'pass');
}

function isUndoing(entry: LogEntry): entry is Move & { type: 'rollback' } {
  return entry.type === 'rollback' && entry.from !== null && entry.from !== entry.version;
}

function restoreOf(
  rollback: Move,
  serving: { version: number; at: string } | null,
  checks: readonly RecordedCheck[],
): Wait {
  const { at } = rollback;
  // before the entries begin, or after a drill that did not return
  if (serving === null || serving.version !== rollback.from) return { at, seconds: null, second: false };
  const alarm = alarmBefore(rollback, serving.at, checks);
  return { at, seconds: secondsBetween(alarm ?? serving.at, at), second: alarm === null };
}

/** The first of the alarms in a row that stood when it was rolled back; null where none stood. */
function alarmBefore(
  { environment, from, at }: Move,
  since: string,
  checks: readonly RecordedCheck[],
): string | null {
  const seen = checks
    .filter((check) => check.environment === environment && check.version === from)
    .filter((check) => Date.parse(check.at) >= Date.parse(since) && Date.parse(check.at) <= Date.parse(at))
    .sort((a, b) => Date.parse(a.at) - Date.parse(b.at));
  const quiet = seen.findLastIndex(({ alarm }) => !alarm);
  return seen[quiet + 1]?.at ?? null;
}

/** Null where one is no time, or the clocks say that it ended before it began. */
function secondsBetween(begin: string, end: string): number | null {
  const seconds = (Date.parse(end) - Date.parse(begin)) / 1000;
  return seconds >= 0 ? seconds : null;
}
