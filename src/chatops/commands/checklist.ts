import type { CommandResult, ReasonCode } from '../context.ts';
import { Refusal, refusalOf } from './refusal.ts';

interface Row {
  name: string;
  ok: boolean;
  detail: string;
  fix: string | null;
  /** Why the command is refused when this is not so. */
  reason: ReasonCode;
}

/** What was looked at before a command is carried out. All of it is looked at: a person mends it in one go. */
export class Checklist {
  private readonly rows: Row[] = [];

  add(row: Row): void {
    this.rows.push(row);
  }

  /** A rule of the registry: what it throws is why not. `as` and `fix` say it in other words of chat. */
  rule(
    name: string,
    check: { passed: string; run(): void; as?: (refusal: Refusal) => ReasonCode; fix?: string | undefined },
  ): void {
    try {
      check.run();
      this.add({ name, ok: true, detail: check.passed, fix: null, reason: 'done' });
    } catch (error) {
      const refusal = refusalOf(error);
      if (refusal === null) throw error;
      const reason = check.as?.(refusal) ?? refusal.reason;
      this.add({ name, ok: false, detail: refusal.message, fix: check.fix ?? refusal.fix, reason });
    }
  }

  /** The first that does not hold, in the order in which they are looked at. */
  get refusal(): Refusal | null {
    const first = this.rows.find(({ ok }) => !ok);
    return first === undefined ? null : new Refusal(first.reason, first.detail, first.fix);
  }

  /** Whether anything but these reasons stands against it. */
  failsBeside(...reasons: ReasonCode[]): boolean {
    return this.rows.some(({ ok, reason }) => !ok && !reasons.includes(reason));
  }

  get checks(): CommandResult['checks'] {
    return this.rows.map(({ name, ok, detail, fix }) => ({ name, ok, detail, fix: ok ? null : fix }));
  }
}
