import { canonicalJson, type Digest, sha256 } from '../../src/json.ts';
import type { Placed } from '../../src/registry/chain.ts';
import type { Intent, LogEntry } from '../../src/registry/entries.ts';
import { Folding } from '../../src/registry/fold.ts';
import { emptyState, type ModelState } from '../../src/registry/state.ts';

export interface LogPlan {
  model: string;
  /** Length of the log. */
  entries: number;
  /** Versions that are registered, spread over the log; at most half of the entries. */
  versions: number;
  /** Time of the first entry, in milliseconds since 1970; each entry is a minute later. */
  start?: number;
}

const minute = 60_000;
const actor = { name: 'bench', via: 'service' } as const;

/**
 * A log as writers who keep the rules make it, entry by entry: registrations with their consultations, and
 * between them promotions through staging to production, locks and unlocks. The same plan gives the same bytes.
 * `state` is the fold of what was yielded so far.
 */
export class GeneratedLog {
  private readonly plan: LogPlan;
  private readonly folding: Folding;
  private seq = 0;
  private head: Digest | null = null;
  private versions = 0;
  private step = 0;
  private readonly serving = new Map<string, { version: number; generation: number }>();

  constructor(plan: LogPlan) {
    this.plan = plan;
    this.folding = new Folding(emptyState(plan.model));
  }

  state(): ModelState {
    return this.folding.state();
  }

  *entries(): Generator<Placed & { bytes: Buffer }> {
    const { entries, versions, start = Date.UTC(2020, 0, 1) } = this.plan;
    const every = Math.max(2, Math.floor(entries / Math.max(1, versions)));
    while (this.seq < entries) {
      const due = this.versions < versions && this.seq % every <= 1;
      const entry = {
        schema: 'modelgate.log/1',
        seq: this.seq + 1,
        prev: this.head,
        at: new Date(start + this.seq * minute).toISOString(),
        actor,
        op_id: `op-${this.plan.model}-${this.seq + 1}`,
        ...(due ? this.registration(this.seq % every) : this.operation()),
      } as LogEntry;
      const bytes = Buffer.from(canonicalJson(entry));
      const head = sha256(bytes);
      this.folding.add({ entry, head });
      this.seq += 1;
      this.head = head;
      yield { entry, head, bytes };
    }
  }

  private registration(step: number): Partial<Intent> {
    const version = this.versions + 1;
    const manifest = packageOf(version);
    if (step === 0) {
      const evaluation_set = { id: 'bench', sha256: sha256('set') };
      return { type: 'evaluate', evaluation_set, manifest, evaluation: sha256(`evaluation ${version}`) };
    }
    this.versions = version;
    return { type: 'register', version, manifest, gate: sha256(`gate ${version}`), verdict: 'pass' };
  }

  private operation(): Partial<Intent> {
    this.step += 1;
    if (this.versions === 0 || this.step % 4 === 3) return lock;
    if (this.step % 4 === 0) return { type: 'unlock', environment: 'staging' };
    const environment = this.step % 4 === 1 ? 'staging' : 'production';
    const before = this.serving.get(environment) ?? { version: 0, generation: 0 };
    // production follows staging, which walks over all versions there are
    const version =
      environment === 'staging' ? (before.version % this.versions) + 1 : this.serving.get('staging')!.version;
    const now = { version, generation: before.generation + 1 };
    this.serving.set(environment, now);
    return {
      type: 'promote',
      environment,
      ...now,
      manifest: packageOf(version),
      from: before.version === 0 ? null : before.version,
    };
  }
}

const lock: Partial<Intent> = { type: 'lock', environment: 'staging', owner: 'bench', until: null };

function packageOf(version: number): Digest {
  return sha256(`package ${version}`);
}
