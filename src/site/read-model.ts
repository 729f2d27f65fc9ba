import { UserError } from '../errors.ts';
import { type DeliveryMetrics, deliveryMetrics } from '../registry/delivery-metrics.ts';
import { type Drill, drillsOf, lastDrill } from '../registry/drills.ts';
import type { LogEntry } from '../registry/entries.ts';
import { lockHolds } from '../registry/guards.ts';
import type { Registry } from '../registry/registry.ts';
import { previousMove } from '../registry/rules.ts';
import type { EnvironmentState, ModelState, VersionState } from '../registry/state.ts';
import type { Store } from '../store/store.ts';
import type { DriftCheck } from './drift-checks.ts';
import { type GateView, isUnreadable, readGate } from './gates.ts';

/** Bounds of a page: what is older stands in the log. */
export const mostVersions = 20;
const mostEntries = 2_000;
const mostTrained = 200;
const months = 12;

export type MoveEntry = Extract<LogEntry, { type: 'promote' | 'rollback' }>;

export interface EnvironmentView {
  state: Readonly<EnvironmentState>;
  /** The version that serves; null where none does. */
  version: Readonly<VersionState> | null;
  rollbackTo: number | null;
  locked: boolean;
  /** Requests for approval that wait for an answer. */
  waiting: number;
  /** Monitoring's checks, the newest window first. */
  checks: readonly DriftCheck[];
}

/** A model as the site shows it. */
export interface ModelView {
  model: string;
  state: ModelState;
  /** In the order of the configuration, then by name. */
  environments: EnvironmentView[];
  /** The newest versions first; `gate` is null where its result is gone. */
  versions: { version: Readonly<VersionState>; gate: GateView | null }[];
  /** Moves among the entries that were read, oldest first. */
  moves: MoveEntry[];
  /** Whether older entries were not read. */
  cut: boolean;
  drills: Drill[];
  delivery: DeliveryMetrics;
}

/** A model whose log cannot be read. */
export interface BrokenModel {
  model: string;
  problem: string;
}

export interface ReadOptions {
  /** All environments, in the order in which a version walks through them; the last one is delivered to. */
  environments: readonly string[];
  checks: ReadonlyMap<string, readonly DriftCheck[]>;
  now: Date;
}

/** Reads a model's log, gates and packages, within the bounds of a page. */
export async function readModel(
  registry: Registry,
  model: string,
  options: ReadOptions,
): Promise<ModelView | BrokenModel> {
  try {
    return await viewOf(registry, await registry.state(model), options);
  } catch (error) {
    if (!(error instanceof UserError) || error.code !== 'log_damaged') throw error;
    return { model, problem: error.message };
  } finally {
    registry.forget(model);
  }
}

async function viewOf(registry: Registry, state: ModelState, options: ReadOptions): Promise<ModelView> {
  const { model, seq } = state;
  const first = Math.max(1, seq - mostEntries + 1);
  const entries = (await registry.entries(model, { first, last: seq })).map(({ entry }) => entry);
  const moves = entries.filter((entry) => entry.type === 'promote' || entry.type === 'rollback');
  const environment = options.environments.at(-1) ?? 'production';
  const versions = [];
  for (const version of state.versions.slice(-mostVersions).reverse())
    versions.push({ version, gate: await readGate(registry.store, version.gate) });
  const checks = [...options.checks.values()].flat();
  return {
    model,
    state,
    environments: orderedEnvironments(state, options.environments).map((one) =>
      environmentView(state, one, options),
    ),
    versions,
    moves,
    cut: first > 1,
    drills: drillsIn(entries, state),
    delivery: deliveryMetrics({
      entries,
      environment,
      trainedAt: await trainingTimes(registry.store, moves, environment),
      checks: checks.map((one) => ({ ...one, at: one.until, alarm: one.state === 'alert' })),
      now: options.now,
      months,
    }),
  };
}

/** Those of the entries that were read; where they hold none, the last one that the log tells of. */
function drillsIn(entries: readonly LogEntry[], state: ModelState): Drill[] {
  const found = drillsOf(entries);
  const last = lastDrill(state);
  return found.length === 0 && last !== null ? [last] : found;
}

function environmentView(
  state: ModelState,
  environment: Readonly<EnvironmentState>,
  { now, checks }: ReadOptions,
): EnvironmentView {
  const { version, lock, requests, name } = environment;
  return {
    state: environment,
    version: version === null ? null : (state.versions[version - 1] ?? null),
    rollbackTo: previousMove(state, environment)?.version ?? null,
    locked: lockHolds(lock, now),
    waiting: requests.filter(({ approved }) => approved === null).length,
    checks: checks.get(name) ?? [],
  };
}

function orderedEnvironments(
  { environments }: ModelState,
  order: readonly string[],
): Readonly<EnvironmentState>[] {
  const place = (name: string) => (order.includes(name) ? order.indexOf(name) : order.length);
  return [...environments.values()].sort(
    (a, b) => place(a.name) - place(b.name) || (a.name < b.name ? -1 : 1),
  );
}

/** When the packages that came to the environment last were trained, where their manifests tell. */
async function trainingTimes(
  store: Store,
  moves: readonly MoveEntry[],
  environment: string,
): Promise<Map<string, string>> {
  const promoted = moves.filter((move) => move.type === 'promote' && move.environment === environment);
  const packages = [...new Set(promoted.map(({ manifest }) => manifest))].slice(-mostTrained);
  const times = new Map<string, string>();
  for (const manifest of packages) {
    try {
      const { trained_at } = (await store.readManifest(manifest, 'model')).facts;
      if (typeof trained_at === 'string') times.set(manifest, trained_at);
    } catch (error) {
      if (!isUnreadable(error)) throw error;
    }
  }
  return times;
}
