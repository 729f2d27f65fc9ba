import { setTimeout as sleep } from 'node:timers/promises';
import { type ErrorRecord, errorRecord, UserError } from '../errors.ts';
import type { FeatureColumns, Predictor, Signature } from '../evaluation/predictor.ts';
import type { Logger } from '../logger.ts';
import { LoadedModel } from './loaded-model.ts';

/** What an environment runs, by the registry's log. */
export interface EnvironmentPosition {
  version: number;
  /** Digest of the model package. */
  manifest: string;
  /** Counts the environment's moves from 1; a rollback counts up as well. */
  generation: number;
}

/** Where the follower looks. null: nothing is deployed yet. */
export interface EnvironmentPointer {
  current(): Promise<EnvironmentPosition | null>;
}

/** Reads and verifies the package of a version and starts its predictor in a process of its own. */
export type LoadPredictor = (manifest: string, version: number) => Promise<Predictor>;

/** What answers from now on: one immutable record, read once per request, so that no answer mixes two. */
export interface Serving extends EnvironmentPosition {
  readonly model: LoadedModel;
}

export interface FollowerOptions {
  pointer: EnvironmentPointer;
  load: LoadPredictor;
  logger: Logger;
  /** Milliseconds between two looks at the registry. */
  pollMs?: number;
  /** Milliseconds that a look at the registry may take. */
  lookTimeoutMs?: number;
  /** Milliseconds that a new model may take to load and to answer its first request. */
  loadTimeoutMs?: number;
  /** Milliseconds that requests in flight may go on using a model that was replaced twice. */
  drainMs?: number;
  /** Milliseconds before a failed load is tried again; doubles up to a minute. */
  retryMs?: number;
}

/** What `/v2/health/ready` and the metrics tell. */
export interface FollowerStatus {
  serving: EnvironmentPosition | null;
  /** What the registry wants, where that differs. */
  wanted: EnvironmentPosition | null;
  /** Why the wanted version is not loaded. */
  loadError: ErrorRecord | null;
  /** Why the registry could not be read. */
  registryError: ErrorRecord | null;
  /** Unix milliseconds of the last successful look, or null. */
  lastLook: number | null;
  swaps: number;
  loadFailures: number;
}

const failuresBeforeReload = 3;
const longestRetryMs = 60_000;

/**
 * Follows one environment: polls the registry, loads what it names beside what serves, warms it, and switches
 * one reference. The model before stays loaded, so that a rollback is a switch. What cannot be loaded, and a
 * registry that cannot be read, leave the last good model serving.
 */
export class Follower {
  private readonly options: Required<FollowerOptions>;
  private readonly stop = new AbortController();
  private polling: Promise<void> = Promise.resolve();
  private reaching: Promise<void> = Promise.resolve();
  private serving: Serving | null = null;
  private previous: LoadedModel | null = null;
  private target: EnvironmentPosition | null = null;
  private attempts = 0;
  private retryAt = Number.POSITIVE_INFINITY;
  private reviving = false;
  private readonly state: Pick<
    FollowerStatus,
    'loadError' | 'registryError' | 'lastLook' | 'swaps' | 'loadFailures'
  > = { loadError: null, registryError: null, lastLook: null, swaps: 0, loadFailures: 0 };

  constructor(options: FollowerOptions) {
    this.options = {
      pollMs: 1000,
      lookTimeoutMs: 10_000,
      loadTimeoutMs: 60_000,
      drainMs: 30_000,
      retryMs: 2000,
      ...options,
    };
  }

  /**
   * Looks once, waits for the first load, then follows until `close`. Throws what the first look throws (no such
   * model, no store); a first load that fails is told by `status` and tried again.
   */
  async start(): Promise<void> {
    await this.poll(true);
    await this.reaching;
    this.polling = this.follow();
  }

  /** What answers now. Hand it back with `release`, so that it can be drained. */
  acquire(): Serving | null {
    this.serving?.model.retain();
    return this.serving;
  }

  release(serving: Serving): void {
    serving.model.release();
    if (serving.model.consecutiveFailures >= failuresBeforeReload) {
      this.reaching = Promise.all([this.reaching, this.revive(serving)]).then(() => {});
    }
  }

  status(): FollowerStatus {
    const { serving, target } = this;
    const reached = target === null || target.generation === serving?.generation;
    return {
      ...this.state,
      serving: serving === null ? null : positionOf(serving),
      wanted: reached ? null : target,
    };
  }

  /** Stops following, and closes the models once their requests are answered. */
  async close(): Promise<void> {
    this.stop.abort();
    await this.polling;
    // A load that hangs must not hold up the end: what it gives later is closed by `reach`.
    await Promise.race([this.reaching, sleep(2000, undefined, { ref: false })]);
    const models = [this.serving?.model, this.previous].filter(
      (model) => model !== undefined && model !== null,
    );
    this.serving = null;
    this.previous = null;
    await Promise.allSettled(models.map((model) => model.close(this.options.drainMs)));
  }

  private async follow(): Promise<void> {
    const { signal } = this.stop;
    while (!signal.aborted) {
      // Spread, so that many replicas do not ask the store at the same moment.
      await sleep(this.options.pollMs * (0.8 + 0.4 * Math.random()), undefined, { signal }).catch(() => {});
      if (!signal.aborted) await this.poll(false);
    }
  }

  private async poll(first: boolean): Promise<void> {
    try {
      const position = await within(
        this.options.lookTimeoutMs,
        'storage_unavailable',
        this.options.pointer.current(),
      );
      this.state.lastLook = Date.now();
      this.state.registryError = null;
      // A stale read must not win: only a newer entry of the log moves the environment.
      if (position !== null && position.generation > (this.target?.generation ?? 0)) {
        this.attempts = 0;
        this.aim(position);
      } else if (this.target !== null && Date.now() >= this.retryAt) this.aim(this.target);
    } catch (error) {
      if (first) throw error;
      if (this.state.registryError === null) {
        this.options.logger.warn(`The registry cannot be read: ${errorRecord(error).message}`);
      }
      this.state.registryError = errorRecord(error);
    }
  }

  /** Goes for a position without waiting: polling goes on, so that a rollback overtakes a slow load. */
  private aim(position: EnvironmentPosition): void {
    this.target = position;
    this.retryAt = Number.POSITIVE_INFINITY;
    const reached = this.reach(position);
    this.reaching = Promise.all([this.reaching, reached]).then(() => {});
  }

  private async reach(position: EnvironmentPosition): Promise<void> {
    const { logger } = this.options;
    try {
      const model = this.warm(position.manifest) ?? (await this.load(position));
      if (this.target !== position || this.stop.signal.aborted) {
        if (model !== this.serving?.model && model !== this.previous) await model.close(0); // overtaken
        return;
      }
      this.switchTo({ ...positionOf(position), model });
      this.state.loadError = null;
      this.attempts = 0;
      logger.info(`Serving version ${position.version} (generation ${position.generation}).`);
    } catch (error) {
      if (this.target !== position) return;
      this.state.loadError = errorRecord(error);
      this.state.loadFailures += 1;
      this.retryAt = Date.now() + Math.min(this.options.retryMs * 2 ** this.attempts, longestRetryMs);
      this.attempts += 1;
      logger.warn(
        `Version ${position.version} cannot be loaded: ${errorRecord(error).message} ` +
          `${this.serving === null ? 'Nothing serves.' : `Version ${this.serving.version} goes on serving.`}`,
      );
    }
  }

  private warm(manifest: string): LoadedModel | undefined {
    return [this.serving?.model, this.previous].find(
      (model): model is LoadedModel =>
        model?.manifest === manifest && model.consecutiveFailures < failuresBeforeReload,
    );
  }

  private async load({ manifest, version }: EnvironmentPosition): Promise<LoadedModel> {
    const { load, loadTimeoutMs } = this.options;
    const loading = load(manifest, version).then(async (predictor) => {
      const model = new LoadedModel(manifest, predictor);
      try {
        const values = await within(
          loadTimeoutMs,
          'inference_failed',
          model.predict(blankRow(predictor.signature), 1),
        );
        if (values.length !== 1) throw new Error(`the model gave ${values.length} values for a row`);
        return model;
      } catch (error) {
        await model.close(0);
        throw error;
      }
    });
    try {
      return await within(loadTimeoutMs, 'inference_failed', loading);
    } catch (error) {
      loading.then((late) => late.close(0)).catch(() => {});
      throw error;
    }
  }

  private switchTo(next: Serving): void {
    const before = this.serving?.model ?? null;
    this.serving = next;
    this.state.swaps += 1;
    if (before === next.model) return;
    const beforeThat = this.previous;
    this.previous = before;
    if (beforeThat !== null && beforeThat !== next.model) this.retire(beforeThat);
  }

  /** The child died, or hangs: a fresh one of the same version takes over, whatever the registry wants next. */
  private async revive(broken: Serving): Promise<void> {
    if (this.reviving || this.serving?.model !== broken.model || this.stop.signal.aborted) return;
    this.reviving = true;
    const { logger, retryMs } = this.options;
    logger.warn(`Version ${broken.version} fails on every request: starting it anew.`);
    try {
      const model = await this.load(broken);
      if (this.serving?.model === broken.model && !this.stop.signal.aborted) {
        this.serving = { ...this.serving, model };
        this.retire(broken.model);
      } else await model.close(0);
    } catch (error) {
      this.state.loadFailures += 1;
      logger.warn(`Version ${broken.version} cannot be started anew: ${errorRecord(error).message}`);
      await sleep(retryMs, undefined, { signal: this.stop.signal }).catch(() => {});
    } finally {
      this.reviving = false;
    }
  }

  private retire(model: LoadedModel): void {
    model.close(this.options.drainMs).catch((error: unknown) => {
      this.options.logger.warn(`A replaced model did not close: ${errorRecord(error).message}`);
    });
  }
}

function positionOf({ version, manifest, generation }: EnvironmentPosition): EnvironmentPosition {
  return { version, manifest, generation };
}

/** One row without any value: enough to make the model allocate what it needs. */
function blankRow(signature: Signature): FeatureColumns {
  const blank = { string: '', float32: 0, float64: 0, int64: 0, bool: false } as const;
  const columns = Object.create(null) as FeatureColumns;
  for (const { name, type } of signature.inputs) columns[name] = [blank[type]];
  return columns;
}

const late = {
  storage_unavailable: { what: 'The registry', fix: 'Look at the store; what is loaded goes on serving.' },
  inference_failed: {
    what: 'The model',
    fix: 'Look at the load of this machine and at the size of the model.',
  },
} as const;

async function within<T>(ms: number, code: keyof typeof late, work: Promise<T>): Promise<T> {
  const { what, fix } = late[code];
  const { promise: timeout, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => reject(new UserError({ code, message: `${what} did not answer within ${ms / 1000} s.`, fix })),
    ms,
  );
  try {
    return await Promise.race([work, timeout]);
  } finally {
    clearTimeout(timer);
  }
}
