import type { ClientBase } from 'pg';
import { locks } from './postgres-session.ts';

/** Raised when a bot of before could not work with the tables any more. */
const version = '1';

/**
 * As in the file of one process, and whose claim it is. That a lane has one running job is held by an index, so that no
 * mistake in a query can break it.
 */
const tables = `
  CREATE SCHEMA modelgate_bot;
  CREATE SEQUENCE modelgate_bot.workers AS integer CYCLE;
  CREATE TABLE modelgate_bot.jobs (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    guid text UNIQUE,
    key text NOT NULL UNIQUE,
    lane text NOT NULL,
    priority integer NOT NULL,
    kind text NOT NULL,
    installation bigint NOT NULL,
    op_id text,
    event text NOT NULL,
    state text NOT NULL CHECK (state IN ('new', 'running', 'done', 'parked')),
    worker integer,
    attempts integer NOT NULL DEFAULT 0,
    received bigint NOT NULL,
    due bigint NOT NULL,
    ended bigint,
    look bigint,
    error text,
    CHECK ((state = 'running') = (worker IS NOT NULL))
  );
  CREATE INDEX jobs_waiting ON modelgate_bot.jobs (priority, id) WHERE state = 'new';
  CREATE UNIQUE INDEX jobs_running ON modelgate_bot.jobs (lane) WHERE state = 'running';
  CREATE INDEX jobs_open ON modelgate_bot.jobs (look) WHERE look IS NOT NULL;
  CREATE INDEX jobs_operation ON modelgate_bot.jobs (op_id) WHERE op_id IS NOT NULL;
  CREATE INDEX jobs_ended ON modelgate_bot.jobs (ended) WHERE state = 'done';
  CREATE TABLE modelgate_bot.notes (name text PRIMARY KEY, value text NOT NULL);
  INSERT INTO modelgate_bot.notes VALUES ('version of the tables', '${version}');
`;

/** Makes the tables where they are not there; several bots may start at once. Gives a version that is not ours. */
export async function prepareTables(client: ClientBase): Promise<{ strange: string | null }> {
  await client.query('BEGIN');
  try {
    await client.query('SELECT pg_advisory_xact_lock($1, 0)', [locks.tables]);
    const { rows } = await client.query<{ there: boolean }>(
      "SELECT to_regclass('modelgate_bot.notes') IS NOT NULL AS there",
    );
    if (rows[0]?.there !== true) await client.query(tables);
    await client.query('COMMIT');
  } catch (error) {
    await client.query('ROLLBACK').catch(() => {});
    throw error;
  }
  const { rows } = await client.query<{ value: string }>(
    "SELECT value FROM modelgate_bot.notes WHERE name = 'version of the tables'",
  );
  const found = rows[0]?.value ?? 'unknown';
  return { strange: found === version ? null : found };
}
