import { hasCode } from '../src/errors.ts';
import type { Job } from './inbox.ts';
import { jobOf, type Row } from './inbox-rows.ts';
import { locks } from './postgres-session.ts';

/** How often claims of processes that are gone are looked for; in milliseconds. */
const everySweep = 1_000;
/** Two processes that want the same lane: the second asks again. */
const mostRaces = 20;
const duplicate = '23505';

export interface ClaimRequest {
  now: Date;
  pausedInstallations: readonly number[];
}

export type Rows = (text: string, values?: readonly unknown[]) => Promise<Row[]>;

/** What one process, under the number of its session, has taken from the table of jobs. */
export class PostgresClaims {
  private readonly rows: Rows;
  private readonly worker: number;
  /** What this process knows it works on; a claim whose answer was lost is not among it. */
  private readonly mine = new Set<number>();
  private swept = 0;
  private last: Promise<unknown> = Promise.resolve();

  constructor(rows: Rows, worker: number) {
    this.rows = rows;
    this.worker = worker;
  }

  /** One after another: between a claim and its answer `mine` is not yet true. */
  next(request: ClaimRequest): Promise<Job | null> {
    const claimed = this.last.then(async () => {
      await this.sweep();
      return this.take(request);
    });
    this.last = claimed.catch(() => {});
    return claimed;
  }

  /**
   * Whoever takes the first job that waits holds its row; the next one waits for that, so that no job of a lane gets
   * before the one that came first.
   */
  private async take(request: ClaimRequest): Promise<Job | null> {
    for (let race = 0; race < mostRaces; race += 1) {
      try {
        const [row] = await this.rows(
          `UPDATE modelgate_bot.jobs SET state = 'running', worker = $1, attempts = attempts + 1 WHERE id = (
             SELECT id FROM modelgate_bot.jobs AS waiting WHERE state = 'new' AND due <= $2
               AND installation <> ALL ($3::bigint[])
               AND NOT EXISTS (
                 SELECT 1 FROM modelgate_bot.jobs WHERE state = 'running' AND lane = waiting.lane)
             ORDER BY priority, id LIMIT 1 FOR UPDATE)
           RETURNING *`,
          [this.worker, request.now.getTime(), request.pausedInstallations],
        );
        if (row === undefined) return null;
        // before it is read: what a newer bot has put and this one cannot read waits for its end
        this.mine.add(Number(row.id));
        return jobOf(row);
      } catch (error) {
        if (!hasCode(error, duplicate)) throw error;
      }
    }
    return null;
  }

  /** Ends this process's claim, and nobody else's. */
  async settle(id: number, set: string, values: readonly unknown[]): Promise<void> {
    await this.rows(
      `UPDATE modelgate_bot.jobs SET worker = NULL, ${set} WHERE id = $1 AND worker = $2 AND state = 'running'`,
      [id, this.worker, ...values],
    );
    this.mine.delete(id);
  }

  /**
   * Makes new again what is claimed by processes that are gone: those whose lock nobody holds. Numbers of workers do
   * not come again, so one that was gone when the locks were read stays so. And what this process has claimed without
   * getting to know.
   */
  private async sweep(): Promise<void> {
    const at = performance.now();
    if (at - this.swept < everySweep) return;
    this.swept = at;
    const claimed = await this.rows("SELECT DISTINCT worker FROM modelgate_bot.jobs WHERE state = 'running'");
    if (claimed.length === 0) return;
    const held = await this.rows(
      `SELECT objid::bigint AS worker FROM pg_locks WHERE locktype = 'advisory' AND classid = $1 AND granted
         AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
      [locks.worker],
    );
    const alive = new Set(held.map(({ worker }) => Number(worker)));
    const gone = claimed.map(({ worker }) => Number(worker)).filter((worker) => !alive.has(worker));
    await this.rows(
      `UPDATE modelgate_bot.jobs SET state = 'new', worker = NULL
       WHERE id IN (
         SELECT id FROM modelgate_bot.jobs WHERE state = 'running'
           AND (worker = ANY ($1::integer[]) OR (worker = $2 AND id <> ALL ($3::bigint[])))
         ORDER BY id FOR UPDATE SKIP LOCKED)`,
      [gone, this.worker, [...this.mine]],
    );
  }
}
