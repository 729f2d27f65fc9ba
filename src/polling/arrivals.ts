import { z } from 'zod';
import { UserError } from '../errors.ts';
import { canonicalJson, Digest, parseJson } from '../json.ts';
import { keys } from '../store/keys.ts';
import type { Storage } from '../store/storage.ts';

const recordLimit = 10_000;
const moment = z.iso.datetime();

/** Which dataset ingest makes of a version of the sources. */
const Arrived = z.object({ schema: z.literal('modelgate.arrival/1'), dataset: Digest, at: moment });

/** Somebody may send the one request that starts the run of a dataset, from `at` on and not for long. */
const Attempt = z.object({
  schema: z.literal('modelgate.arrival-attempt/1'),
  at: moment,
  /** The run of CI that may. */
  by: z.string().max(200),
});

/** Why nothing more is started for a dataset. */
export const Ending = z.object({
  schema: z.literal('modelgate.arrival-ending/1'),
  /** `started` by a poll; `registered`: a version was trained on it. */
  reason: z.enum(['started', 'registered']),
  run: z.object({ id: z.number().int().positive(), url: z.string().max(2000) }).nullable(),
  version: z.number().int().positive().nullable(),
  at: moment,
});
export type Ending = z.infer<typeof Ending>;

export interface LastAttempt {
  /** From 1. */
  number: number;
  at: Date;
  /** GitHub, or the clock, refused it: nothing was started by it. */
  refused: boolean;
  /** When the first one was made. */
  since: Date;
}

/**
 * What polls keep of one model's data in the store. Each record is created once and never changed, so that of any
 * number of polls at the same time exactly one makes it, and all go on from the one that stands. Throws
 * `object_damaged` for a record that cannot be read.
 */
export class Arrivals {
  private readonly storage: Storage;
  private readonly model: string;
  private readonly now: () => Date;

  constructor(options: { storage: Storage; model: string; now: () => Date }) {
    this.storage = options.storage;
    this.model = options.model;
    this.now = options.now;
  }

  /** The dataset of a version of the sources that was seen before; null for a new one. */
  async datasetOf(version: Digest): Promise<Digest | null> {
    return (await this.read(Arrived, keys.arrived(this.model, version)))?.dataset ?? null;
  }

  /** Keeps the dataset of a version; gives the one that was kept first. */
  async keepDataset(version: Digest, dataset: Digest): Promise<Digest> {
    const record = { schema: 'modelgate.arrival/1', dataset, at: this.time() } as const;
    return (await this.keep(Arrived, keys.arrived(this.model, version), record)).dataset;
  }

  async ending(dataset: Digest): Promise<Ending | null> {
    return this.read(Ending, keys.arrivalEnding(this.model, dataset));
  }

  /** Ends a dataset; gives the ending that was made first. */
  async end(dataset: Digest, ending: Pick<Ending, 'reason' | 'run' | 'version'>): Promise<Ending> {
    const { reason, run, version } = ending;
    const record = { schema: 'modelgate.arrival-ending/1', reason, run, version, at: this.time() } as const;
    return this.keep(Ending, keys.arrivalEnding(this.model, dataset), record);
  }

  async lastAttempt(dataset: Digest): Promise<LastAttempt | null> {
    const key = (number: number) => keys.arrivalAttempt(this.model, dataset, number);
    const number = await lastOf(async (one) => (await this.storage.size(key(one))) !== null);
    const [first, last] = await Promise.all([
      this.read(Attempt, key(1)),
      number === 0 ? null : this.read(Attempt, key(number)),
    ]);
    if (first === null || last === null) return null;
    const refused = (await this.storage.size(keys.arrivalRefused(this.model, dataset, number))) !== null;
    return { number, at: new Date(last.at), refused, since: new Date(first.at) };
  }

  /** Whether this caller, and nobody else, has the attempt of that number. */
  async claim(dataset: Digest, number: number, { at, by }: { at: Date; by: string }): Promise<boolean> {
    const record = { schema: 'modelgate.arrival-attempt/1', at: at.toISOString(), by } as const;
    const key = keys.arrivalAttempt(this.model, dataset, number);
    return (await this.storage.create(key, bytesOf(Attempt.parse(record)))) === 'created';
  }

  /** Says of one's own attempt that it started nothing and will start nothing. */
  async refuse(dataset: Digest, number: number): Promise<void> {
    await this.storage.create(keys.arrivalRefused(this.model, dataset, number), bytesOf({ at: this.time() }));
  }

  private async keep<T>(schema: z.ZodType<T>, key: string, record: T): Promise<T> {
    if ((await this.storage.create(key, bytesOf(schema.parse(record)))) === 'created') return record;
    const first = await this.read(schema, key);
    if (first === null) throw new Error(`${key} is there and is not`);
    return first;
  }

  private async read<T>(schema: z.ZodType<T>, key: string): Promise<T | null> {
    const bytes = await this.storage.read(key, recordLimit);
    if (bytes === null) return null;
    try {
      return schema.parse(parseJson(bytes.toString('utf8'), recordLimit));
    } catch (cause) {
      throw new UserError({
        code: 'object_damaged',
        message: 'A record of which data were seen cannot be read.',
        where: `${this.storage.url} ${key}`,
        fix: 'Update ModelGate if a newer one wrote it; else restore it from a copy of the store.',
        cause,
      });
    }
  }

  private time(): string {
    return this.now().toISOString();
  }
}

const bytesOf = (record: unknown): Buffer => Buffer.from(canonicalJson(record));

/** The last of things numbered from 1 without a gap, 0 for none, in a number of looks that grows with its logarithm. */
export async function lastOf(isThere: (number: number) => Promise<boolean>): Promise<number> {
  let there = 0;
  let gone = 1;
  while (await isThere(gone)) {
    there = gone;
    gone *= 2;
  }
  while (gone - there > 1) {
    const middle = Math.floor((there + gone) / 2);
    if (await isThere(middle)) there = middle;
    else gone = middle;
  }
  return there;
}
