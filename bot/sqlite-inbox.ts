import { chmodSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { UserError } from '../src/errors.ts';
import type { Inbox, Job, JobState, NewJob, OpenOperation } from './inbox.ts';
import {
  countOf,
  errorText,
  eventText,
  jobOf,
  latestLook,
  openFor,
  operationOf,
  soonestLook,
} from './inbox-rows.ts';

/** How long a starting bot waits for the one before to end. */
const patienceMilliseconds = 15_000;

const tables = `
  CREATE TABLE IF NOT EXISTS jobs (
    id INTEGER PRIMARY KEY,
    guid TEXT UNIQUE,
    key TEXT NOT NULL UNIQUE,
    lane TEXT NOT NULL,
    priority INTEGER NOT NULL,
    kind TEXT NOT NULL,
    installation INTEGER NOT NULL,
    op_id TEXT,
    event TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('new', 'running', 'done', 'parked')),
    attempts INTEGER NOT NULL DEFAULT 0,
    received INTEGER NOT NULL,
    due INTEGER NOT NULL,
    ended INTEGER,
    look INTEGER,
    error TEXT
  ) STRICT;
  CREATE INDEX IF NOT EXISTS jobs_waiting ON jobs (priority, id) WHERE state = 'new';
  CREATE INDEX IF NOT EXISTS jobs_running ON jobs (lane) WHERE state = 'running';
  CREATE INDEX IF NOT EXISTS jobs_open ON jobs (look) WHERE look IS NOT NULL;
  CREATE INDEX IF NOT EXISTS jobs_operation ON jobs (op_id) WHERE op_id IS NOT NULL;
  CREATE INDEX IF NOT EXISTS jobs_ended ON jobs (ended) WHERE state = 'done';
  CREATE TABLE IF NOT EXISTS notes (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
`;

/**
 * Opens the inbox and locks it for this process; the lock ends with the process, however it ends. Throws
 * `inbox_unavailable` while another process has it, and for a file that is no inbox.
 */
export async function openSqliteInbox(file: string): Promise<Inbox> {
  const { DatabaseSync: Database } = await import('node:sqlite');
  let database: DatabaseSync | undefined;
  try {
    mkdirSync(path.dirname(file), { recursive: true });
    database = new Database(file, { timeout: patienceMilliseconds });
    // comments of private repositories are in it
    chmodSync(file, 0o600);
    database.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;');
    database.exec(
      `BEGIN IMMEDIATE; ${tables} UPDATE jobs SET state = 'new' WHERE state = 'running'; COMMIT;`,
    );
    return new SqliteInbox(database);
  } catch (error) {
    database?.close();
    const busy = error instanceof Error && /locked|busy/i.test(error.message);
    throw new UserError({
      code: 'inbox_unavailable',
      message: busy ? 'Another bot works on this inbox.' : 'The inbox cannot be opened.',
      where: file,
      fix: busy
        ? 'Stop the other one first: an inbox belongs to one process.'
        : 'Give a writable file on a local disk with --inbox; a damaged one can be moved away, GitHub still has the deliveries of the last three days.',
      cause: error,
    });
  }
}

class SqliteInbox implements Inbox {
  /** The lock on the file holds as long as the process. */
  readonly lost = new Promise<never>(() => {});
  private readonly database: DatabaseSync;
  private readonly statements = new Map<string, StatementSync>();

  constructor(database: DatabaseSync) {
    this.database = database;
  }

  async put({ guid, key, lane, priority, opId, event }: NewJob, now: Date): Promise<'stored' | 'known'> {
    const { changes } = this.sql(
      `INSERT OR IGNORE INTO jobs (guid, key, lane, priority, kind, installation, op_id, event, state, received, due)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'new', ?, ?)`,
    ).run(
      ...[guid, key, lane, priority, event.kind, event.installation, opId, eventText(event)],
      ...[now.getTime(), now.getTime()],
    );
    return changes === 1 ? 'stored' : 'known';
  }

  async claim({
    now,
    pausedInstallations,
  }: {
    now: Date;
    pausedInstallations: readonly number[];
  }): Promise<Job | null> {
    const row = this.sql(
      `UPDATE jobs SET state = 'running', attempts = attempts + 1 WHERE id = (
         SELECT id FROM jobs AS waiting WHERE state = 'new' AND due <= ?
           AND installation NOT IN (SELECT value FROM json_each(?))
           AND NOT EXISTS (SELECT 1 FROM jobs WHERE state = 'running' AND lane = waiting.lane)
         ORDER BY priority, id LIMIT 1)
       RETURNING *`,
    ).get(now.getTime(), JSON.stringify(pausedInstallations));
    return row === undefined ? null : jobOf(row);
  }

  async finish(id: number, { now, open }: { now: Date; open: boolean }): Promise<void> {
    const look = open ? now.getTime() + soonestLook : null;
    this.sql("UPDATE jobs SET state = 'done', ended = ?, look = ?, error = NULL WHERE id = ?").run(
      ...[now.getTime(), look, id],
    );
  }

  async retry(id: number, { due, error }: { due: Date; error: string }): Promise<void> {
    this.sql("UPDATE jobs SET state = 'new', due = ?, error = ? WHERE id = ?").run(
      ...[due.getTime(), errorText(error), id],
    );
  }

  async park(id: number, { now, error }: { now: Date; error: string }): Promise<void> {
    this.sql("UPDATE jobs SET state = 'parked', ended = ?, error = ? WHERE id = ?").run(
      ...[now.getTime(), errorText(error), id],
    );
  }

  async has(guid: string): Promise<boolean> {
    return this.sql('SELECT 1 FROM jobs WHERE guid = ?').get(guid) !== undefined;
  }

  async operation(opId: string): Promise<OpenOperation | null> {
    const row = this.sql("SELECT * FROM jobs WHERE op_id = ? AND kind = 'comment'").get(opId);
    return row === undefined ? null : operationOf(row);
  }

  async openOperations(now: Date): Promise<OpenOperation[]> {
    const at = now.getTime();
    this.sql('UPDATE jobs SET look = NULL WHERE look IS NOT NULL AND received < ?').run(at - openFor);
    // again after a quarter of its age, and within an hour
    return this.sql(
      `UPDATE jobs SET look = ?1 + min(max((?1 - received) / 4, ${soonestLook}), ${latestLook})
       WHERE look <= ?1 RETURNING *`,
    )
      .all(at)
      .flatMap((row) => operationOf(row) ?? []);
  }

  async closeOperation(opId: string): Promise<void> {
    this.sql('UPDATE jobs SET look = NULL WHERE op_id = ? AND look IS NOT NULL').run(opId);
  }

  async counts(): Promise<{ state: JobState; kind: string; count: number }[]> {
    return this.sql('SELECT state, kind, count(*) AS count FROM jobs GROUP BY state, kind')
      .all()
      .map(countOf);
  }

  async oldest(): Promise<Date | null> {
    const row = this.sql("SELECT min(received) AS at FROM jobs WHERE state IN ('new', 'running')").get();
    return typeof row?.at === 'number' ? new Date(row.at) : null;
  }

  async note(name: string): Promise<string | null> {
    const row = this.sql('SELECT value FROM notes WHERE name = ?').get(name);
    return typeof row?.value === 'string' ? row.value : null;
  }

  async setNote(name: string, value: string): Promise<void> {
    this.sql('INSERT INTO notes VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value').run(
      ...[name, value],
    );
  }

  async forget(before: Date): Promise<number> {
    const { changes } = this.sql(
      "DELETE FROM jobs WHERE state IN ('done', 'parked') AND ended < ? AND look IS NULL",
    ).run(before.getTime());
    return Number(changes);
  }

  async lead(): Promise<boolean> {
    return true;
  }

  async close(): Promise<void> {
    this.database.close();
  }

  private sql(text: string): StatementSync {
    const known = this.statements.get(text);
    if (known !== undefined) return known;
    const made = this.database.prepare(text);
    this.statements.set(text, made);
    return made;
  }
}
