import type { Digest } from '../json.ts';
import { follows, logDamaged, type Placed } from './chain.ts';
import { nextDrill } from './drills.ts';
import type { LogEntry } from './entries.ts';
import { countOverride } from './overrides.ts';
import {
  type Consultations,
  type EnvironmentState,
  emptyEnvironment,
  type ModelState,
  type VersionState,
  windowStart,
} from './state.ts';

/** A state under construction: what is changed is its own copy, so that no state that was given is touched. */
interface Draft {
  versions: VersionState[];
  environments: Map<string, EnvironmentState>;
  consultations: Map<Digest, Consultations>;
}

/**
 * The state after these entries, which must follow on `state` without a gap. Pure: `state` is not changed.
 * Throws `log_damaged` for a broken chain and for entries that no writer who keeps the rules can have made
 * (a version or a generation left out, a move from a version that did not serve). Of the operation ids only
 * those that the state still knows are held against each other: `verify` sees all.
 */
export function fold(state: ModelState, entries: readonly Placed[]): ModelState {
  if (entries.length === 0) return state;
  const folding = new Folding(state);
  for (const placed of entries) folding.add(placed);
  return folding.state();
}

/** A fold that goes on entry by entry, for whoever reads a whole log: an entry costs the same at any length. */
export class Folding {
  private readonly model: string;
  private seq: number;
  private head: Digest | null;
  private latest: string | null;
  private overrides: ModelState['overrides'];
  private readonly draft: Draft;
  private readonly op_ids: Map<string, number>;
  /** Environments of which the draft has its own copy. */
  private readonly fresh = new Set<string>();

  constructor(state: ModelState) {
    ({
      model: this.model,
      seq: this.seq,
      head: this.head,
      latest: this.latest,
      overrides: this.overrides,
    } = state);
    this.draft = draftOf(state);
    this.op_ids = new Map(state.op_ids);
  }

  /** The number of the entry that was added last. */
  get last(): number {
    return this.seq;
  }

  /** Throws as `fold` does; the folding is of no use then. */
  add(placed: Placed): void {
    const { entry } = placed;
    const where = `log of ${this.model}, entry ${entry.seq}`;
    if (!follows({ seq: this.seq, head: this.head }, placed)) {
      throw logDamaged('A log entry does not follow on the one before it.', where);
    }
    if (this.op_ids.has(entry.op_id)) throw logDamaged('Two log entries have the same operation id.', where);
    apply(this.draft, entry, this.fresh, where);
    this.overrides = countOverride(this.overrides, entry);
    this.op_ids.set(entry.op_id, entry.seq);
    this.seq = entry.seq;
    this.head = placed.head;
    if (this.latest === null || Date.parse(entry.at) > Date.parse(this.latest)) this.latest = entry.at;
    this.forget(windowStart(this.seq));
  }

  /** What the entries so far say. Not a copy: it changes with the next entry. */
  get current(): Pick<ModelState, 'versions' | 'environments'> {
    return this.draft;
  }

  /** The state so far; later entries do not change it. */
  state(): ModelState {
    this.fresh.clear();
    const { model, seq, head, latest, overrides } = this;
    return { model, seq, head, latest, overrides, ...draftOf(this.draft), op_ids: new Map(this.op_ids) };
  }

  private forget(last: number): void {
    for (const [op_id, seq] of this.op_ids) {
      if (seq > last) return;
      this.op_ids.delete(op_id);
    }
  }
}

function draftOf(state: Pick<ModelState, 'versions' | 'environments' | 'consultations'>): Draft {
  return {
    versions: [...state.versions],
    environments: new Map(state.environments),
    consultations: new Map(state.consultations),
  };
}

function apply(draft: Draft, entry: LogEntry, fresh: Set<string>, where: string): void {
  switch (entry.type) {
    case 'register': {
      const { version, manifest, gate, verdict, at, seq, on_inconclusive = 'block' } = entry;
      if (version !== draft.versions.length + 1) throw logDamaged('A version number is left out.', where);
      draft.versions.push({
        ...{ version, manifest, gate, verdict, on_inconclusive, registered_at: at, seq },
        retired: null,
        attestations: [],
      });
      return;
    }
    case 'retire': {
      const found = draft.versions[entry.version - 1];
      if (found === undefined) throw logDamaged('A version that does not exist is retired.', where);
      draft.versions[entry.version - 1] = { ...found, retired: found.retired ?? entry.at };
      return;
    }
    case 'attest': {
      const found = draft.versions[entry.version - 1];
      if (found === undefined || found.manifest !== entry.manifest) {
        throw logDamaged('An attestation names a version and a package that do not belong together.', where);
      }
      const { kind, attestation, signer, actor: by, at, seq } = entry;
      const attestations = [...found.attestations, { kind, attestation, signer, by, at, seq }];
      draft.versions[entry.version - 1] = { ...found, attestations };
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
    case 'gc-sweep':
    case 'gc-swept':
      throw logDamaged("An entry of the store's log stands in a model's.", where);
  }
}

/** The draft's own copy of an environment, made at its first change only. */
function environment(draft: Draft, name: string, fresh: Set<string>): EnvironmentState {
  const found = draft.environments.get(name);
  if (found !== undefined && fresh.has(name)) return found;
  const copy =
    found === undefined
      ? emptyEnvironment(name)
      : { ...found, served: [...found.served], frozen: [...found.frozen], requests: [...found.requests] };
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
    // The package that was left stays out until it is brought back on purpose, unless the rollback says that it was
    // not at fault; the restored one is good again.
    const stays = entry.freeze === false || target.manifest === entry.manifest;
    const left = entry.from === null || stays ? [] : [entry.from];
    const restored = (frozen: number) => draft.versions[frozen - 1]?.manifest === entry.manifest;
    target.frozen = [...new Set([...target.frozen.filter((frozen) => !restored(frozen)), ...left])];
    target.drill = nextDrill(target.drill, entry);
  }
  const { type, seq, generation, manifest, at, actor } = entry;
  // who asked for what while something else served asked for another change
  target.requests = [];
  const earlier = target.served.findLastIndex((one) => one.version === entry.version);
  if (earlier !== -1) target.served.splice(earlier, 1);
  target.served.push({ type, seq, generation, version: entry.version, manifest, at, actor });
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
