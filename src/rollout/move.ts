import { randomUUID } from 'node:crypto';
import { UserError } from '../errors.ts';
import type { Digest } from '../json.ts';
import type { Trust } from '../provenance/policy.ts';
import type { Proof } from '../provenance/verify.ts';
import type { LogEntry } from '../registry/entries.ts';
import type { Committed, Registry } from '../registry/registry.ts';
import {
  type Decision,
  decidePromote,
  decideRollback,
  newestPassed,
  type PromoteRequest,
  type RollbackRequest,
} from '../registry/rules.ts';
import { environmentOf, type ModelState } from '../registry/state.ts';
import { verifyPackage } from './package.ts';

interface Common {
  model: string;
  /** Names the operation across retries; null: one is made. */
  op_id: string | null;
  reason: string | null;
  /** Judges and verifies, and commits nothing. */
  dry_run: boolean;
  /** What the environment asks of a package's signature and provenance; left out: nothing. */
  trust?: Trust | undefined;
  /** The package that is meant: a move to another one is refused. Null or left out: the version says it. */
  digest?: Digest | null;
}

export type Promotion = Common & Omit<PromoteRequest, 'version'> & { version: number | null };
export type Rollback = Common & RollbackRequest;

export interface Moved {
  /** `planned`: a dry run. `nothing`: it serves there already. `replayed`: this op_id did it before. */
  status: 'committed' | 'replayed' | 'nothing' | 'planned';
  from: number | null;
  to: number;
  /** Digest of the package that serves from now on. */
  manifest: Digest;
  generation: number;
  /** The entry that put `to` there, and the sha256 of its bytes; null for a plan. */
  seq: number | null;
  head: Digest | null;
}

type Move = Extract<LogEntry, { type: 'promote' | 'rollback' }>;

/** Puts a version, null for the newest that passed, into an environment. Errors: see `decidePromote`. */
export async function promote(registry: Registry, request: Promotion): Promise<Moved> {
  const { model, environment, override } = request;
  const state = await registry.state(model);
  const replaying = request.op_id !== null && (await registry.operation(state, request.op_id)) !== null;
  // Settled once: a race must not promote another version than the one that was verified.
  const version = request.version ?? (replaying ? 0 : newestPassed(state).version);
  return move(registry, state, request, {
    type: 'promote',
    matches: (entry) =>
      entry.environment === environment &&
      (request.version === null || entry.version === request.version) &&
      atGeneration(entry, request.expected_generation),
    decide: (current, now) => decidePromote(current, { ...request, version }, now),
    // on record only where the verdict needed it
    extra: ({ overridden, approval }) => ({
      ...(override === null || overridden !== true ? {} : { override }),
      ...(approval === undefined ? {} : { approval }),
    }),
  });
}

/** Puts back what served before. The gate is not asked again; the digests are. Errors: see `decideRollback`. */
export async function rollback(registry: Registry, request: Rollback): Promise<Moved> {
  const { model, environment, to } = request;
  const state = await registry.state(model);
  // Two people who roll back at once mean one rollback: the second must not go one version further.
  const expected_generation = request.expected_generation ?? environmentOf(state, environment).generation;
  const freeze = request.freeze !== false;
  return move(registry, state, request, {
    type: 'rollback',
    matches: (entry) =>
      entry.environment === environment &&
      (to === null || entry.version === to) &&
      entry.type === 'rollback' &&
      (entry.freeze !== false) === freeze &&
      atGeneration(entry, request.expected_generation),
    decide: (current, now) => decideRollback(current, { ...request, expected_generation }, now),
    extra: () => (freeze ? {} : { freeze }),
  });
}

/** Whether a move went from the generation that was expected; null: none was. */
function atGeneration(entry: Move, expected: number | null): boolean {
  return expected === null || entry.generation === expected + 1;
}

interface Kind {
  type: Move['type'];
  matches(entry: Move): boolean;
  decide(state: ModelState, now: Date): Decision | null;
  extra(
    decision: Decision,
  ):
    | Pick<Extract<LogEntry, { type: 'promote' }>, 'override' | 'approval'>
    | Pick<Extract<LogEntry, { type: 'rollback' }>, 'freeze'>;
}

/** What the environment asks of the package, verified; nothing where it asks nothing. */
async function proofOf(
  { store, now }: Registry,
  { state, manifest, trust }: { state: ModelState; manifest: Digest; trust: Trust | undefined },
): Promise<Proof[]> {
  if (trust === undefined) return [];
  const { prove, subjectOf } = await import('../provenance/verify.ts');
  return prove({ store, subject: subjectOf(state, manifest), trust, now: now() });
}

async function move(
  registry: Registry,
  state: ModelState,
  request: Common & { environment: string; actor: Move['actor'] },
  kind: Kind,
): Promise<Moved> {
  const { model, environment, actor } = request;
  const op_id = request.op_id ?? randomUUID();
  let proven: { manifest: Digest; proof: Proof[] } | null = null;
  if (request.op_id === null || (await registry.operation(state, op_id)) === null) {
    const plan = kind.decide(state, registry.now());
    if (plan === null) return already(registry, state, environment);
    const { manifest } = plan.to;
    requireDigest(request.digest ?? null, plan.to);
    await verifyPackage(registry.store, manifest);
    proven = { manifest, proof: await proofOf(registry, { state, manifest, trust: request.trust }) };
    if (request.dry_run) return planned(plan);
  }
  const committed = await registry.commit({
    model,
    op_id,
    matches: (entry) => entry.type === kind.type && kind.matches(entry),
    decide: (current, now) => {
      const decision = kind.decide(current, now);
      if (decision === null) return null;
      // a race may have changed what a rollback goes to: nothing is moved to that was not looked at
      if (proven?.manifest !== decision.to.manifest) throw moveRaced(environment);
      const { proof } = proven;
      return {
        type: kind.type,
        op_id,
        actor,
        environment,
        generation: decision.generation,
        version: decision.to.version,
        manifest: decision.to.manifest,
        from: decision.from?.version ?? null,
        ...(request.reason === null ? {} : { reason: request.reason }),
        ...(proof.length === 0 ? {} : { proof }),
        ...kind.extra(decision),
      };
    },
  });
  return committed.status === 'nothing' ? already(registry, committed.state, environment) : moved(committed);
}

/** Throws `digest_mismatch`. */
function requireDigest(wanted: Digest | null, { version, manifest }: Decision['to']): void {
  if (wanted === null || wanted === manifest) return;
  throw new UserError({
    code: 'digest_mismatch',
    message: `Version ${version} is the package ${manifest.slice(0, 12)}, not ${wanted.slice(0, 12)}.`,
    where: '--digest',
    fix: 'Look at `modelgate history` for what the version is, and ask again for what you mean.',
  });
}

function moveRaced(environment: string): UserError {
  return new UserError({
    code: 'generation_moved',
    message: `${environment} has moved since it was looked at.`,
    where: environment,
    fix: 'See `modelgate status` for what runs there now, and try again.',
  });
}

function moved({ status, entry, head }: Exclude<Committed, { status: 'nothing' }>): Moved {
  if (entry.type !== 'promote' && entry.type !== 'rollback') throw new Error(`${entry.type} is no move`);
  const { from, version, manifest, generation, seq } = entry;
  return { status, from, to: version, manifest, generation, seq, head };
}

function planned({ from, to, generation }: Decision): Moved {
  const { version, manifest } = to;
  return {
    status: 'planned',
    from: from?.version ?? null,
    to: version,
    manifest,
    generation,
    seq: null,
    head: null,
  };
}

/** The wanted version serves already: tells the move that put it there. */
async function already(registry: Registry, state: ModelState, environment: string): Promise<Moved> {
  const last = environmentOf(state, environment).served.at(-1);
  if (last === undefined) throw new Error(`${environment} has no move`);
  const { version, manifest, generation, seq } = last;
  const { head } = await registry.entry(state.model, seq);
  return { status: 'nothing', from: version, to: version, manifest, generation, seq, head };
}
