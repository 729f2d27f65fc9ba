import type { Client, Pool } from 'pg';
import { hasCode, type UserError } from '../src/errors.ts';
import type { Inbox, Job, JobState, NewJob, OpenOperation } from './inbox.ts';
import {
  countOf,
  errorText,
  eventText,
  latestLook,
  openFor,
  operationOf,
  type Row,
  soonestLook,
} from './inbox-rows.ts';
import { type ClaimRequest, PostgresClaims } from './postgres-claims.ts';
import { otherVersion, unreachable } from './postgres-errors.ts';
import { PostgresSession } from './postgres-session.ts';
import { prepareTables } from './postgres-tables.ts';

/** Connections beside the one that stands for the process. */
const connections = 4;
/** The server ends a statement before its caller stops waiting: what a caller gave up on does not happen later. */
const statementWithin = 10_000;
const answerWithin = 15_000;
/**
 * Opens an inbox that several processes share. Throws `inbox_unavailable` when the database cannot be reached or used;
 * what is in `url` beside host and name is never told.
 */
export async function openPostgresInbox(url: string): Promise<Inbox> {
  const { Client: PgClient, Pool: PgPool } = await import('pg');
  const common = {
    connectionString: url,
    connectionTimeoutMillis: 10_000,
    keepAlive: true,
    application_name: 'modelgate bot',
  };
  let client: Client | null = null;
  let session: PostgresSession | null = null;
  try {
    client = new PgClient({ ...common, query_timeout: answerWithin });
    // without a listener a fault between two queries would end the process
    client.on('error', () => {});
    await client.connect();
    const { strange } = await prepareTables(client);
    if (strange !== null) throw otherVersion(url, strange);
    session = await PostgresSession.open(client, url);
    const timeouts = { statement_timeout: statementWithin, query_timeout: answerWithin };
    const pool = new PgPool({ ...common, ...timeouts, max: connections, onConnect: durable });
    pool.on('error', () => {});
    await pool.query('SELECT 1');
    return new PostgresInbox(pool, session);
  } catch (error) {
    await session?.close();
    await client?.end().catch(() => {});
    throw isOurs(error) ? error : unreachable(url, error);
  }
}

const isOurs = (error: unknown): boolean => hasCode(error, 'inbox_unavailable');

/** What was answered with 202 is on disk, whatever is usual in this database. */
async function durable(client: Pick<Client, 'query'>): Promise<void> {
  await client.query(
    "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'",
  );
}

class PostgresInbox implements Inbox {
  private readonly pool: Pool;
  private readonly session: PostgresSession;
  private readonly claims: PostgresClaims;
  private closed: Promise<void> | null = null;

  constructor(pool: Pool, session: PostgresSession) {
    this.pool = pool;
    this.session = session;
    this.claims = new PostgresClaims((text, values) => this.rows(text, values), session.worker);
  }

  get lost(): Promise<UserError> {
    return this.session.lost;
  }

  async put({ guid, key, lane, priority, opId, event }: NewJob, now: Date): Promise<'stored' | 'known'> {
    const { length } = await this.rows(
      `INSERT INTO modelgate_bot.jobs
         (guid, key, lane, priority, kind, installation, op_id, event, state, received, due)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'new', $9, $9) ON CONFLICT DO NOTHING RETURNING id`,
      [guid, key, lane, priority, event.kind, event.installation, opId, eventText(event), now.getTime()],
    );
    return length === 1 ? 'stored' : 'known';
  }

  claim(request: ClaimRequest): Promise<Job | null> {
    return this.claims.next(request);
  }

  async finish(id: number, { now, open }: { now: Date; open: boolean }): Promise<void> {
    const look = open ? now.getTime() + soonestLook : null;
    await this.claims.settle(id, "state = 'done', ended = $3, look = $4, error = NULL", [
      now.getTime(),
      look,
    ]);
  }

  async retry(id: number, { due, error }: { due: Date; error: string }): Promise<void> {
    await this.claims.settle(id, "state = 'new', due = $3, error = $4", [due.getTime(), errorText(error)]);
  }

  async park(id: number, { now, error }: { now: Date; error: string }): Promise<void> {
    await this.claims.settle(id, "state = 'parked', ended = $3, error = $4", [
      now.getTime(),
      errorText(error),
    ]);
  }

  async has(guid: string): Promise<boolean> {
    return (await this.rows('SELECT 1 FROM modelgate_bot.jobs WHERE guid = $1', [guid])).length > 0;
  }

  async operation(opId: string): Promise<OpenOperation | null> {
    const [row] = await this.rows(
      "SELECT * FROM modelgate_bot.jobs WHERE op_id = $1 AND kind = 'comment' ORDER BY id LIMIT 1",
      [opId],
    );
    return row === undefined ? null : operationOf(row);
  }

  async openOperations(now: Date): Promise<OpenOperation[]> {
    const at = now.getTime();
    await this.rows('UPDATE modelgate_bot.jobs SET look = NULL WHERE look IS NOT NULL AND received < $1', [
      at - openFor,
    ]);
    // again after a quarter of its age, and within an hour
    const rows = await this.rows(
      `UPDATE modelgate_bot.jobs
       SET look = $1::bigint + least(greatest(($1::bigint - received) / 4, ${soonestLook}), ${latestLook})
       WHERE id IN (
         SELECT id FROM modelgate_bot.jobs WHERE look <= $1::bigint ORDER BY id FOR UPDATE SKIP LOCKED)
       RETURNING *`,
      [at],
    );
    return rows.flatMap((row) => operationOf(row) ?? []);
  }

  async closeOperation(opId: string): Promise<void> {
    await this.rows('UPDATE modelgate_bot.jobs SET look = NULL WHERE op_id = $1 AND look IS NOT NULL', [
      opId,
    ]);
  }

  async counts(): Promise<{ state: JobState; kind: string; count: number }[]> {
    const rows = await this.rows(
      'SELECT state, kind, count(*) AS count FROM modelgate_bot.jobs GROUP BY state, kind ORDER BY state, kind',
    );
    return rows.map(countOf);
  }

  async oldest(): Promise<Date | null> {
    const [row] = await this.rows(
      "SELECT min(received) AS at FROM modelgate_bot.jobs WHERE state IN ('new', 'running')",
    );
    return row?.at == null ? null : new Date(Number(row.at));
  }

  async note(name: string): Promise<string | null> {
    const [row] = await this.rows('SELECT value FROM modelgate_bot.notes WHERE name = $1', [name]);
    return typeof row?.value === 'string' ? row.value : null;
  }

  async setNote(name: string, value: string): Promise<void> {
    await this.rows(
      `INSERT INTO modelgate_bot.notes VALUES ($1, $2)
       ON CONFLICT (name) DO UPDATE SET value = excluded.value`,
      [name, value],
    );
  }

  async forget(before: Date): Promise<number> {
    const rows = await this.rows(
      "DELETE FROM modelgate_bot.jobs WHERE state IN ('done', 'parked') AND ended < $1 AND look IS NULL RETURNING id",
      [before.getTime()],
    );
    return rows.length;
  }

  lead(): Promise<boolean> {
    return this.session.lead();
  }

  /** Others may take what is claimed only after the last of it was written. */
  close(): Promise<void> {
    this.closed ??= this.pool.end().then(() => this.session.close());
    return this.closed;
  }

  private async rows(text: string, values: readonly unknown[] = []): Promise<Row[]> {
    return (await this.pool.query<Row>(text, [...values])).rows;
  }
}
