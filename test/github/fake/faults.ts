import type { OperationId } from './openapi/index.ts';

/** What goes wrong with a request. */
export type Fault =
  /** Answered so before anything happens. */
  | { kind: 'refuse'; status: 500 | 502 | 503 | 504 }
  /** The effect takes place; the answer is this one, or the connection breaks. */
  | { kind: 'lose-answer'; status: 500 | 502 | 504 | 'reset' }
  /** The effect takes place; the answer is a page of HTML from something in between. */
  | { kind: 'garble' }
  /** The hourly limit: remaining 0, and when it begins anew. */
  | { kind: 'rate-limit'; status: 403 | 429; seconds: number }
  /** Too much at once; `retryAfter` null: GitHub does not say for how long. */
  | { kind: 'secondary-limit'; status: 403 | 429; retryAfter: number | null }
  /** The connection stays open and silent, before or after the effect. */
  | { kind: 'silence'; after: boolean };

export interface Request {
  operation: OperationId;
  method: string;
  path: string;
  body: unknown;
}

export class Faults {
  /** Asked for each request that has no fault of its own waiting. */
  plan: ((request: Request) => Fault | null) | null = null;
  /** Runs before each request: what a person does between two calls of the bot. */
  before: ((request: Request) => void | Promise<void>) | null = null;
  /** While true every request is answered with 503, and no webhook leaves. */
  outage = false;
  private readonly waiting: { operation: OperationId; fault: Fault }[] = [];

  /** The next `times` requests of an operation go wrong. */
  next(operation: OperationId, fault: Fault, times = 1): void {
    for (let n = 0; n < times; n++) this.waiting.push({ operation, fault });
  }

  of(request: Request): Fault | null {
    if (this.outage) return { kind: 'refuse', status: 503 };
    const at = this.waiting.findIndex((one) => one.operation === request.operation);
    if (at !== -1) return this.waiting.splice(at, 1)[0]!.fault;
    return this.plan?.(request) ?? null;
  }
}
