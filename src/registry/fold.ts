import type { Digest } from '../json.ts';
import { follows, logDamaged, type Placed } from './chain.ts';
import type { LogEntry } from './entries.ts';
import {
  type Consultations,
  type EnvironmentState,
  emptyEnvironment,
  type ModelState,
  type VersionState,
} from './state.ts';

/** A state under construction: copied where it is changed, so that no other state is touched. */
interface Draft {
  versions: VersionState[];
  environments: Map<string, EnvironmentState>;
  consultations: Map<Digest, Consultations>;
}

/**
 * The state after these entries, which must follow on `state` without a gap. Pure: `state` is not changed.
 * Throws `log_damaged` for a broken chain and for entries that no writer who keeps the rules can have made
 * (a version or a generation left out, a move from a version that did not serve).
 */
export function fold(state: ModelState, entries: readonly Placed[]): ModelState {
  if (entries.length === 0) return state;
  const draft: Draft = {
    versions: [...state.versions],
    environments: new Map(state.environments),
    consultations: new Map(state.consultations),
  };
  const op_ids = new Map(state.op_ids);
  let { seq, head } = state;
  const fresh = new Set<string>();
  for (const placed of entries) {
    const { entry } = placed;
    const where = `log of ${state.model}, entry ${entry.seq}`;
    if (!follows({ seq, head }, placed)) {
      throw logDamaged('A log entry does not follow on the one before it.', where);
    }
    if (op_ids.has(entry.op_id)) throw logDamaged('Two log entries have the same operation id.', where);
    apply(draft, entry, fresh, where);
    op_ids.set(entry.op_id, entry.seq);
    seq = entry.seq;
    head = placed.head;
  }
  return { model: state.model, seq, head, ...draft, op_ids };
}

function apply(draft: Draft, entry: LogEntry, fresh: Set<string>, where: string): void {
  switch (entry.type) {
    case 'register': {
      const { version, manifest, gate, verdict, at, seq, on_inconclusive = 'block' } = entry;
      if (version !== draft.versions.length + 1) throw logDamaged('A version number is left out.', where);
      draft.versions.push({
        ...{ version, manifest, gate, verdict, on_inconclusive, registered_at: at, seq },
        retired: null,
      });
      return;
    }
    case 'retire': {
      const found = draft.versions[entry.version - 1];
      if (found === undefined) throw logDamaged('A version that does not exist is retired.', where);
      draft.versions[entry.version - 1] = { ...found, retired: found.retired ?? entry.at };
      return;
    }
    case 'evaluate': {
      const { id, sha256 } = entry.evaluation_set;
      const count = (draft.consultations.get(sha256)?.count ?? 0) + 1;
      draft.consultations.set(sha256, { id, sha256, count, last: entry.at });
      return;
    }
    case 'promote':
    case 'rollback':
      move(draft, entry, environment(draft, entry.environment, fresh), where);
      return;
    case 'lock':
      environment(draft, entry.environment, fresh).lock = {
        owner: entry.owner,
        reason: entry.reason ?? null,
        since: entry.at,
        until: entry.until,
      };
      return;
    case 'unlock':
      environment(draft, entry.environment, fresh).lock = null;
      return;
    case 'request':
    case 'approve':
      approval(draft, entry, environment(draft, entry.environment, fresh), where);
      return;
    case 'gc-mark':
    case 'gc-cancel':
      return; // part of the audit, not of the state
  }
}

/** The draft's own copy of an environment, made at its first change only. */
function environment(draft: Draft, name: string, fresh: Set<string>): EnvironmentState {
  const found = draft.environments.get(name);
  if (found !== undefined && fresh.has(name)) return found;
  const copy =
    found === undefined
      ? emptyEnvironment(name)
      : { ...found, history: [...found.history], frozen: [...found.frozen], requests: [...found.requests] };
  draft.environments.set(name, copy);
  fresh.add(name);
  return copy;
}

function move(
  draft: Draft,
  entry: Extract<LogEntry, { type: 'promote' | 'rollback' }>,
  target: EnvironmentState,
  where: string,
): void {
  const version = draft.versions[entry.version - 1];
  if (version === undefined || version.manifest !== entry.manifest) {
    throw logDamaged('A move names a version and a package that do not belong together.', where);
  }
  if (entry.generation !== target.generation + 1 || entry.from !== target.version) {
    throw logDamaged('A move does not follow on the move before it.', where);
  }
  if (entry.type === 'rollback') {
    // The version that was left stays out until it is brought back on purpose; the restored one is good again.
    const left = entry.from === null || entry.from === entry.version ? [] : [entry.from];
    target.frozen = [...new Set([...target.frozen.filter((frozen) => frozen !== entry.version), ...left])];
  }
  const { type, seq, generation, manifest, at, actor } = entry;
  // who asked for what while something else served asked for another change
  target.requests = [];
  target.history.push({ type, seq, generation, version: entry.version, manifest, at, actor });
  Object.assign(target, { version: entry.version, manifest, generation, since: at, actor });
}

function approval(
  draft: Draft,
  entry: Extract<LogEntry, { type: 'request' | 'approve' }>,
  target: EnvironmentState,
  where: string,
): void {
  const { version, manifest, seq, at, actor: by } = entry;
  if (draft.versions[version - 1]?.manifest !== manifest) {
    throw logDamaged('A request names a version and a package that do not belong together.', where);
  }
  if (entry.type === 'request') {
    target.requests.push({ version, seq, by, at, approved: null });
    return;
  }
  const index = target.requests.findIndex((one) => one.seq === entry.request && one.version === version);
  const asked = target.requests[index];
  if (
    asked === undefined ||
    asked.approved !== null ||
    asked.by.name.toLowerCase() === by.name.toLowerCase()
  ) {
    throw logDamaged('An approval does not answer a request of another person.', where);
  }
  target.requests[index] = { ...asked, approved: { by, at, seq } };
}
