import { Digest } from '../json.ts';
import { mapAtMost } from '../map-at-most.ts';
import { CheckFacts } from '../monitoring/check-facts.ts';
import { keys } from '../store/keys.ts';
import { parseManifest, type Store } from '../store/store.ts';

/** How a check ended. `unknown`: its manifest does not say, so it is not shown as quiet. */
export type DriftState = 'alert' | 'drift' | 'quiet' | 'not_decidable' | 'unknown';

/** A check of what an environment served, as its stored manifest tells. */
export interface DriftCheck {
  model: string;
  environment: string;
  version: number;
  /** The window in event times, ISO 8601. */
  since: string;
  until: string;
  state: DriftState;
  /** Columns that drifted, the most severe first; some of their names at most. */
  drifted: string[];
  alerts: number;
}

export interface DriftChecks {
  /** By model, then by environment, the newest window first. */
  byModel: ReadonlyMap<string, ReadonlyMap<string, readonly DriftCheck[]>>;
  /** Whether older manifests were not looked at. */
  cut: boolean;
}

/** So many manifests are looked at, the newest ones, so many at a time. */
const mostRead = 10_000;
const atOnce = 32;
/** Kept of an environment. */
const mostChecks = 30;
const mostColumns = 50;
/** Bytes; a manifest of a check has three files, and longer ones are of other kinds. */
const limit = 200_000;

/**
 * The checks that `modelgate monitor` stored. Nothing names them but the list of all manifests, so that is walked
 * through from the newest on; a window that was judged again counts once, as it was judged last. What cannot be read
 * is left out, and garbage collection takes old ones.
 */
export async function readDriftChecks(store: Store, signal: AbortSignal): Promise<DriftChecks> {
  const listed: { digest: Digest; modified: number }[] = [];
  for await (const { key, size, modified } of store.storage.list('manifests/')) {
    const digest = Digest.safeParse(key.slice(key.lastIndexOf('/') + 1));
    if (digest.success && size <= limit) listed.push({ digest: digest.data, modified: modified.getTime() });
  }
  listed.sort((a, b) => b.modified - a.modified || (a.digest < b.digest ? -1 : 1));
  const checks = await mapAtMost(listed.slice(0, mostRead), atOnce, async ({ digest }) => {
    signal.throwIfAborted();
    return readCheck(store, digest);
  });
  const found = checks.filter((check) => check !== null);
  const byModel = new Map<string, ReadonlyMap<string, readonly DriftCheck[]>>();
  for (const [model, checks] of Map.groupBy(found, (check) => check.model)) {
    const environments = Map.groupBy(checks, (check) => check.environment);
    byModel.set(model, new Map([...environments].map(([name, all]) => [name, newest(all)])));
  }
  return { byModel, cut: listed.length > mostRead };
}

/** `checks` come the newest stored first. */
function newest(checks: readonly DriftCheck[]): DriftCheck[] {
  const windows = new Map<string, DriftCheck>();
  for (const check of checks) {
    const window = `${check.since} ${check.until}`;
    if (!windows.has(window)) windows.set(window, check);
  }
  return [...windows.values()]
    .sort((a, b) => Date.parse(b.until) - Date.parse(a.until) || Date.parse(a.since) - Date.parse(b.since))
    .slice(0, mostChecks);
}

async function readCheck(store: Store, digest: Digest): Promise<DriftCheck | null> {
  const bytes = await store.storage.read(keys.manifest(digest), limit);
  const manifest = bytes === null ? null : parseManifest(bytes);
  if (manifest?.kind !== 'drift') return null;
  const facts = CheckFacts.safeParse(manifest.facts);
  if (!facts.success) return null;
  const { drifted, alerts, reason_code, ...about } = facts.data;
  return {
    ...about,
    state: stateOf(facts.data),
    drifted: drifted.slice(0, mostColumns),
    alerts: alerts.length,
  };
}

function stateOf({ drifted, alerts, reason_code }: CheckFacts): DriftState {
  if (alerts.length > 0) return 'alert';
  if (drifted.length > 0) return 'drift';
  if (reason_code === 'no_drift') return 'quiet';
  return reason_code === 'not_decidable' ? 'not_decidable' : 'unknown';
}
