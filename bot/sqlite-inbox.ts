import { chmodSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { UserError } from '../src/errors.ts';
import { BotEvent } from './events.ts';
import type { Inbox, Job, JobState, NewJob, OpenOperation } from './inbox.ts';

/** How long a starting bot waits for the one before to end. */
const patienceMilliseconds = 15_000;
const minute = 60_000;
const day = 24 * 60 * minute;
/** The end of what a command started is looked for no sooner. */
const soonest = 15_000;
/** After so long nothing is told any more of what a command started. */
const openFor = 7 * day;
const longestEvent = 300_000;

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

type Row = Record<string, unknown>;

class SqliteInbox implements Inbox {
  private readonly database: DatabaseSync;
  private readonly statements = new Map<string, StatementSync>();

  constructor(database: DatabaseSync) {
    this.database = database;
  }

  put({ guid, key, lane, priority, opId, event }: NewJob, now: Date): 'stored' | 'known' {
    const text = JSON.stringify(event);
    if (text.length > longestEvent) throw new Error(`an event of ${text.length} characters is not stored`);
    const { changes } = this.sql(
      `INSERT OR IGNORE INTO jobs (guid, key, lane, priority, kind, installation, op_id, event, state, received, due)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'new', ?, ?)`,
    ).run(
      ...[guid, key, lane, priority, event.kind, event.installation, opId, text],
      ...[now.getTime(), now.getTime()],
    );
    return changes === 1 ? 'stored' : 'known';
  }

  claim({ now, pausedInstallations }: { now: Date; pausedInstallations: readonly number[] }): Job | null {
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

  finish(id: number, { now, open }: { now: Date; open: boolean }): void {
    const look = open ? now.getTime() + soonest : null;
    this.sql("UPDATE jobs SET state = 'done', ended = ?, look = ?, error = NULL WHERE id = ?").run(
      ...[now.getTime(), look, id],
    );
  }

  retry(id: number, { due, error }: { due: Date; error: string }): void {
    this.sql("UPDATE jobs SET state = 'new', due = ?, error = ? WHERE id = ?").run(
      ...[due.getTime(), error.slice(0, 500), id],
    );
  }

  park(id: number, { now, error }: { now: Date; error: string }): void {
    this.sql("UPDATE jobs SET state = 'parked', ended = ?, error = ? WHERE id = ?").run(
      ...[now.getTime(), error.slice(0, 500), id],
    );
  }

  has(guid: string): boolean {
    return this.sql('SELECT 1 FROM jobs WHERE guid = ?').get(guid) !== undefined;
  }

  operation(opId: string): OpenOperation | null {
    const row = this.sql("SELECT * FROM jobs WHERE op_id = ? AND kind = 'comment'").get(opId);
    return row === undefined ? null : operationOf(row);
  }

  openOperations(now: Date): OpenOperation[] {
    const at = now.getTime();
    this.sql('UPDATE jobs SET look = NULL WHERE look IS NOT NULL AND received < ?').run(at - openFor);
    // again after a quarter of its age, and within an hour
    return this.sql(
      `UPDATE jobs SET look = ?1 + min(max((?1 - received) / 4, ${soonest}), ${60 * minute})
       WHERE look <= ?1 RETURNING *`,
    )
      .all(at)
      .flatMap((row) => operationOf(row) ?? []);
  }

  closeOperation(opId: string): void {
    this.sql('UPDATE jobs SET look = NULL WHERE op_id = ? AND look IS NOT NULL').run(opId);
  }

  counts(): { state: JobState; kind: string; count: number }[] {
    return this.sql('SELECT state, kind, count(*) AS count FROM jobs GROUP BY state, kind')
      .all()
      .map(({ state, kind, count }) => ({
        state: state as JobState,
        kind: String(kind),
        count: Number(count),
      }));
  }

  oldest(): Date | null {
    const row = this.sql("SELECT min(received) AS at FROM jobs WHERE state IN ('new', 'running')").get();
    return typeof row?.at === 'number' ? new Date(row.at) : null;
  }

  note(name: string): string | null {
    const row = this.sql('SELECT value FROM notes WHERE name = ?').get(name);
    return typeof row?.value === 'string' ? row.value : null;
  }

  setNote(name: string, value: string): void {
    this.sql('INSERT INTO notes VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value').run(
      ...[name, value],
    );
  }

  forget(before: Date): number {
    const { changes } = this.sql("DELETE FROM jobs WHERE state = 'done' AND ended < ? AND look IS NULL").run(
      before.getTime(),
    );
    return Number(changes);
  }

  close(): void {
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

function jobOf(row: Row): Job {
  return {
    id: Number(row.id),
    guid: row.guid === null ? null : String(row.guid),
    key: String(row.key),
    lane: String(row.lane),
    priority: Number(row.priority),
    opId: row.op_id === null ? null : String(row.op_id),
    event: BotEvent.parse(JSON.parse(String(row.event))),
    attempts: Number(row.attempts),
    receivedAt: new Date(Number(row.received)),
  };
}

function operationOf(row: Row): OpenOperation | null {
  const { opId, lane, event } = jobOf(row);
  return opId === null || event.kind !== 'comment' ? null : { opId, lane, event };
}
