import { UserError } from '../errors.ts';
import type { FeatureColumns, Predictor, Signature } from '../evaluation/predictor.ts';

interface Waiting {
  features: FeatureColumns;
  rows: number;
  resolve(values: Float64Array): void;
  reject(error: unknown): void;
}

/** Rows that go to the predictor at once: larger batches win little and make single rows wait. */
const batchRows = 128;

/**
 * A predictor with the requests that wait for it. While one batch is computed the next one gathers, without a
 * timer: alone, a row waits for nobody; under load the cost of a call is shared.
 */
export class LoadedModel {
  readonly manifest: string;
  readonly signature: Signature;
  private readonly predictor: Predictor;
  private readonly waiting: Waiting[] = [];
  private busy = false;
  private users = 0;
  private idle: (() => void) | undefined;
  private failures = 0;
  private closed: Promise<void> | undefined;

  constructor(manifest: string, predictor: Predictor) {
    this.manifest = manifest;
    this.predictor = predictor;
    this.signature = predictor.signature;
  }

  /** Calls that failed since the last that succeeded. */
  get consecutiveFailures(): number {
    return this.failures;
  }

  /** Counts a failure that `predict` could not see: an answer that never came. */
  noteFailure(): void {
    this.failures += 1;
  }

  /** One value a row. Throws what the predictor throws. */
  predict(features: FeatureColumns, rows: number): Promise<Float64Array> {
    const { promise, resolve, reject } = Promise.withResolvers<Float64Array>();
    this.waiting.push({ features, rows, resolve, reject });
    if (!this.busy) {
      this.busy = true;
      queueMicrotask(() => void this.work());
    }
    return promise;
  }

  /** Keeps the model open until `release`. */
  retain(): void {
    this.users += 1;
  }

  release(): void {
    this.users -= 1;
    if (this.users === 0) this.idle?.();
  }

  /** Closes the predictor when nobody uses it any more, or after `drainMs` in any case. */
  close(drainMs: number): Promise<void> {
    this.closed ??= (async () => {
      if (this.users > 0) {
        const drained = new Promise<void>((resolve) => {
          this.idle = resolve;
        });
        const { promise: late, resolve } = Promise.withResolvers<void>();
        const timer = setTimeout(resolve, drainMs);
        await Promise.race([drained, late]);
        clearTimeout(timer);
      }
      await this.predictor.close();
    })();
    return this.closed;
  }

  private async work(): Promise<void> {
    while (this.waiting.length > 0) {
      const batch = this.nextBatch();
      try {
        await this.answer(batch);
      } catch (error) {
        // One bad request must not fail its neighbours: each is asked again alone.
        for (const one of batch) {
          if (batch.length === 1) one.reject(error);
          else await this.answer([one]).catch(one.reject);
        }
      }
    }
    this.busy = false;
  }

  private nextBatch(): Waiting[] {
    let rows = 0;
    let count = 0;
    for (const { rows: more } of this.waiting) {
      if (count > 0 && rows + more > batchRows) break;
      rows += more;
      count += 1;
    }
    return this.waiting.splice(0, count);
  }

  private async answer(batch: readonly Waiting[]): Promise<void> {
    const rows = batch.reduce((sum, one) => sum + one.rows, 0);
    try {
      const values = await this.predictor.predict(joined(this.signature, batch), rows);
      if (values.length !== rows) throw new Error(`the model gave ${values.length} values for ${rows} rows`);
      this.failures = 0;
      let at = 0;
      for (const one of batch) {
        one.resolve(values.slice(at, at + one.rows));
        at += one.rows;
      }
    } catch (error) {
      // What a request's own values bring about says nothing of the process.
      if (!(error instanceof UserError && error.code === 'prediction_invalid')) this.failures += 1;
      throw error;
    }
  }
}

function joined(signature: Signature, batch: readonly Waiting[]): FeatureColumns {
  const [first] = batch;
  if (batch.length === 1 && first !== undefined) return first.features;
  const columns = Object.create(null) as FeatureColumns;
  for (const { name } of signature.inputs) {
    columns[name] = batch.flatMap((one) => Array.from(one.features[name] ?? []));
  }
  return columns;
}
