import fc from 'fast-check';
import { sha256 } from '../../src/json.ts';
import type { Placed } from '../../src/registry/chain.ts';
import { encodeEntry } from '../../src/registry/chain.ts';
import type { Intent, LogEntry } from '../../src/registry/entries.ts';
import { Folding } from '../../src/registry/fold.ts';
import { emptyState } from '../../src/registry/state.ts';

export interface Step {
  kind: 'register' | 'promote' | 'rollback' | 'drill';
  /** Which version or package, modulo how many there are. */
  pick: number;
  verdict: 'pass' | 'fail' | 'inconclusive';
  policy: 'block' | 'pass';
  environment: string;
  overridden: boolean;
  hours: number;
}

/** Any step. */
export const step = fc.record({
  kind: fc.constantFrom(
    'register',
    'register',
    'promote',
    'promote',
    'promote',
    'rollback',
    'rollback',
    'drill',
  ),
  pick: fc.nat(1000),
  verdict: fc.constantFrom('pass', 'pass', 'fail', 'inconclusive'),
  policy: fc.constantFrom('block', 'pass'),
  environment: fc.constantFrom('production', 'production', 'staging'),
  overridden: fc.boolean(),
  hours: fc.nat(600),
});

type Registration = Extract<LogEntry, { type: 'register' }>;

/** Writes a log that the fold takes, at times of its own. Packages are named by letters. */
export class LogWriter {
  readonly entries: LogEntry[] = [];
  /** Who moves, and what for. */
  hand: Pick<LogEntry, 'actor' | 'reason'> = { actor: { name: 'ann', via: 'bot' } };
  readonly placed: Placed[] = [];
  private readonly folding = new Folding(emptyState('m'));
  private time: number;
  private drills = 0;

  constructor(start: string) {
    this.time = Date.parse(start);
  }

  wait(seconds: number): this {
    this.time += seconds * 1000;
    return this;
  }

  /** When the next entry is written. */
  get at(): Date {
    return new Date(this.time);
  }

  /** What serves in an environment, which must have moved. */
  serving(environment: string): { version: number } {
    const version = this.folding.current.environments.get(environment)?.version;
    if (version == null) throw new Error(`nothing serves in ${environment}`);
    return { version };
  }

  register(
    name: string,
    verdict: Registration['verdict'] = 'pass',
    on_inconclusive: Registration['on_inconclusive'] = 'block',
    stored: { manifest?: string; gate?: string } = {},
  ): Registration {
    const { versions } = this.folding.current;
    const seq = this.entries.length + 1;
    return this.add({
      ...{
        type: 'register',
        version: versions.length + 1,
        manifest: sha256(name),
        gate: sha256(`gate ${seq}`),
      },
      ...{
        verdict,
        on_inconclusive,
        actor: { name: 'train', via: 'action' },
        op_id: `register-${seq}`,
        ...stored,
      },
    }) as Registration;
  }

  promote(version: number, environment = 'production', overridden = false): this {
    const past = overridden ? { override: { by: 'ann', reason: 'known' } } : {};
    return this.move({ type: 'promote', version, environment, ...past });
  }

  rollback(version: number, environment = 'production', op_id?: string): this {
    return this.move({ type: 'rollback', version, environment, ...(op_id === undefined ? {} : { op_id }) });
  }

  /** Any step that the state allows; nothing for one that it does not. */
  step({ kind, pick, verdict, policy, environment, overridden }: Step): void {
    const { versions, environments } = this.folding.current;
    if (kind === 'register') {
      this.register(String.fromCharCode(97 + (pick % 6)), verdict, policy);
      return;
    }
    const serving = environments.get(environment);
    const version = versions.length === 0 ? null : (pick % versions.length) + 1;
    if (kind === 'promote' && version !== null && version !== serving?.version)
      this.promote(version, environment, overridden);
    const others = (serving?.served ?? []).filter((one) => one.version !== serving?.version);
    const back = others[pick % Math.max(1, others.length)];
    if (serving?.version == null || back === undefined) return;
    if (kind === 'rollback') this.rollback(back.version, environment);
    if (kind === 'drill') {
      this.drills += 1;
      const name = `drill-${this.drills}-1`;
      const left = serving.version;
      this.rollback(back.version, environment, `${name}-back`);
      if (overridden) this.wait(60).rollback(left, environment, `${name}-restore`);
    }
  }

  private move(what: {
    type: 'promote' | 'rollback';
    version: number;
    environment: string;
    op_id?: string;
  }): this {
    const { versions, environments } = this.folding.current;
    const now = environments.get(what.environment);
    const seq = this.entries.length + 1;
    this.add({
      ...{ generation: (now?.generation ?? 0) + 1, from: now?.version ?? null, op_id: `move-${seq}` },
      ...{ manifest: versions[what.version - 1]?.manifest as string, ...this.hand },
      ...what,
    } as Intent);
    return this;
  }

  add(intent: Intent): LogEntry {
    const entry = {
      ...{ schema: 'modelgate.log/1', seq: this.entries.length + 1, prev: this.placed.at(-1)?.head ?? null },
      ...{ at: new Date(this.time).toISOString(), ...intent },
    } as LogEntry;
    const placed = { entry, head: encodeEntry(entry).head };
    this.folding.add(placed);
    this.placed.push(placed);
    this.entries.push(entry);
    return entry;
  }
}
