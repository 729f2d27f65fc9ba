import type { Client } from 'pg';
import type { UserError } from '../src/errors.ts';
import { unreachable } from './postgres-errors.ts';

/** Advisory locks count in a whole database: these are ours. The second number is a worker's, or 0. */
export const locks = { tables: 1_297_106_945, worker: 1_297_106_946, leader: 1_297_106_947 };

/** How often the session is looked at, and how long an answer may take; in milliseconds. */
const beat = 5_000;
const answerWithin = 8_000;
/**
 * The server takes a session whose other end is silent for gone after this many seconds and tries. That is later than
 * the process itself gives up (`beat` + `answerWithin`): nobody takes a claim of one that still works.
 */
const keepAlive = { idle: 15, interval: 5, count: 4 };

/**
 * One connection that stands for this process. Its advisory lock says that the claims under this worker's number are
 * held; PostgreSQL lets go of it when the connection ends, however the process does.
 */
export class PostgresSession {
  readonly worker: number;
  readonly lost: Promise<UserError>;
  private readonly client: Client;
  private readonly timer: NodeJS.Timeout;
  private leading = false;
  private closing = false;
  private lose: (error: UserError) => void = () => {};

  private constructor(client: Client, { worker, url }: { worker: number; url: string }) {
    this.client = client;
    this.worker = worker;
    this.lost = new Promise((resolve) => {
      this.lose = resolve;
    });
    const gone = (cause: unknown) => {
      if (!this.closing) this.lose(unreachable(url, cause));
    };
    client.on('error', gone);
    client.on('end', () => gone(new Error('the connection ended')));
    this.timer = setInterval(() => this.look().catch(gone), beat);
  }

  /** `client` is connected; the session ends it. */
  static async open(client: Client, url: string): Promise<PostgresSession> {
    for (const [name, value] of Object.entries(keepAlive))
      await client.query('SELECT set_config($1, $2, false)', [`tcp_keepalives_${name}`, String(value)]);
    const { rows } = await client.query<{ worker: string }>(
      "SELECT nextval('modelgate_bot.workers') AS worker",
    );
    const worker = Number(rows[0]?.worker);
    await client.query('SELECT pg_advisory_lock($1, $2)', [locks.worker, worker]);
    return new PostgresSession(client, { worker, url });
  }

  /** The first of all sessions that asks leads, until it ends. */
  async lead(): Promise<boolean> {
    if (this.leading) return true;
    const { rows } = await this.client.query<{ leading: boolean }>(
      'SELECT pg_try_advisory_lock($1, 0) AS leading',
      [locks.leader],
    );
    this.leading = rows[0]?.leading === true;
    return this.leading;
  }

  /** A pooler that hands connections round by transaction loses the lock without a word: that is seen here. */
  private async look(): Promise<void> {
    const held = this.client.query(
      `SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()
         AND classid = $1 AND objid = $2`,
      [locks.worker, this.worker],
    );
    const { rowCount } = await within(held, answerWithin);
    if (rowCount !== 1) throw new Error('the lock of this session is not held');
  }

  async close(): Promise<void> {
    this.closing = true;
    clearInterval(this.timer);
    await within(this.client.end(), 2_000).catch(() => {});
  }
}

async function within<T>(work: Promise<T>, milliseconds: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('PostgreSQL does not answer')), milliseconds);
  });
  // it may fail when nobody waits for it any more
  work.catch(() => {});
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}
