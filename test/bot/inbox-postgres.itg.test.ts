import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Inbox } from '../../bot/inbox.ts';
import { openInbox } from '../../bot/open-inbox.ts';
import { claimFrom, inboxConformance, job, later, start } from './inbox-conformance.ts';
import { noPostgres, PostgresServer } from './postgres-server.ts';
import { eventually, freePort } from './world.ts';

const missing = noPostgres();
let server: PostgresServer;
let url: string;
const database = 'inbox';
const opened: Inbox[] = [];
const children: ChildProcess[] = [];
const open = async () => {
  const inbox = await openInbox(url);
  opened.push(inbox);
  return inbox;
};
const current = () => opened.at(-1) as Inbox;

describe.skipIf(missing !== null)(`the inbox in PostgreSQL (${missing ?? 'a real server'})`, () => {
  beforeAll(async () => {
    server = await PostgresServer.start(await freePort());
    await server.database(database);
  });
  afterAll(async () => {
    await server?.[Symbol.asyncDispose]();
  });
  beforeEach(async () => {
    await server.query(database, 'DROP SCHEMA IF EXISTS modelgate_bot CASCADE');
    url = server.url(database);
    await open();
  });
  afterEach(async () => {
    for (const child of children.splice(0)) child.kill('SIGKILL');
    await Promise.all(opened.splice(0).map((one) => one.close()));
  });

  inboxConformance({ open, current });

  it('gives each job to one of several processes, and the jobs of a lane one after another in their order', async () => {
    const inboxes = [current(), await open(), await open()];
    const lanes = ['a', 'b', 'c'];
    for (let n = 1; n <= 60; n += 1) await current().put(job(n, { lane: lanes[n % 3] ?? '' }), start);
    const order: string[] = [];
    const busy = new Set<string>();
    const broken: string[] = [];
    const workOff = async (inbox: Inbox) => {
      for (;;) {
        const taken = await claimFrom(inbox);
        if (taken === null) {
          if ((await inbox.oldest()) === null) return;
          continue;
        }
        if (busy.has(taken.lane)) broken.push(taken.key);
        busy.add(taken.lane);
        order.push(taken.key);
        await new Promise((resolve) => setImmediate(resolve));
        busy.delete(taken.lane);
        await inbox.finish(taken.id, { now: start, open: false });
      }
    };
    await Promise.all(inboxes.map(workOff));
    expect(broken).toEqual([]);
    for (const lane of [0, 1, 2]) {
      const mine = order.map((key) => Number(key.slice(4))).filter((n) => n % 3 === lane);
      expect(mine).toEqual(Array.from({ length: 20 }, (_, n) => 3 * n + (lane || 3)));
    }
  });

  it('gives the jobs of a killed process to another, and leaves those of a living one alone', async () => {
    for (const n of [1, 2]) await current().put(job(n, { lane: `lane ${n}` }), start);
    const script = `const { openInbox } = await import(${JSON.stringify(path.resolve('bot/open-inbox.ts'))});
      const inbox = await openInbox(process.env.INBOX);
      const job = await inbox.claim({ now: new Date(), pausedInstallations: [] });
      console.log(job.key, await inbox.lead());
      setInterval(() => {}, 1000);`;
    const other = spawn(process.execPath, ['--input-type=module', '--eval', script], {
      env: { ...process.env, INBOX: url },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    children.push(other);
    const [said] = (await once(other.stdout, 'data')) as [Buffer];
    expect(String(said)).toBe('key-1 true\n');
    const mine = await claimFrom(current());
    expect(mine?.key).toBe('key-2');
    expect(await current().lead()).toBe(false);
    await new Promise((resolve) => setTimeout(resolve, 1200));
    expect(await claimFrom(current())).toBeNull();
    other.kill('SIGKILL');
    const again = await eventually(
      () => claimFrom(current()),
      (found) => found !== null,
      { within: 10_000 },
    );
    expect(again).toMatchObject({ key: 'key-1', attempts: 2 });
    expect(await current().lead()).toBe(true);
  });

  it('lets nobody end a job that another has taken over', async () => {
    await current().put(job(1), start);
    const first = current();
    const taken = await claimFrom(first);
    await server.query(database, "UPDATE modelgate_bot.jobs SET state = 'new', worker = NULL");
    const second = await open();
    expect(await claimFrom(second)).toMatchObject({ id: taken?.id, attempts: 2 });
    await first.finish(taken?.id ?? 0, { now: start, open: false });
    await first.retry(taken?.id ?? 0, { due: start, error: 'late' });
    expect(await second.counts()).toEqual([{ state: 'running', kind: 'run', count: 1 }]);
  });

  it('takes up what it claimed without hearing the answer', async () => {
    await current().put(job(1), start);
    const [session] = await server.query(
      database,
      "SELECT objid FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 2 AND granted",
    );
    await server.query(
      database,
      `UPDATE modelgate_bot.jobs SET state = 'running', worker = ${Number(session?.objid)}`,
    );
    await new Promise((resolve) => setTimeout(resolve, 1100));
    expect(await claimFrom(current())).toMatchObject({ key: 'key-1' });
  });

  it('gives an operation to one of those that look at the same time', async () => {
    await current().put(job(1), start);
    const two = [current(), await open()];
    const event = { kind: 'comment', installation: 5, owner: 'acme', repo: 'flights' } as const;
    const about = { id: 1, body: '/status', author: 'ann', authorType: 'User', viaApp: false, number: 1 };
    const comment = { ...about, createdAt: '2026-03-01T12:00:00Z', isPullRequest: true };
    await current().put(job(2, { lane: 'other', opId: 'op', event: { ...event, comment } }), start);
    for (let n = 0; n < 2; n += 1)
      await current().finish((await claimFrom(current()))?.id ?? 0, { now: start, open: true });
    const looks = await Promise.all(two.map((one) => one.openOperations(later(30))));
    expect(looks.flat()).toHaveLength(1);
  });

  it('says that it was lost when its session is gone, and opens again', async () => {
    const inbox = current();
    await inbox.put(job(1), start);
    await claimFrom(inbox);
    await server.query(
      database,
      `SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 2 AND granted`,
    );
    expect(await inbox.lost).toMatchObject({ code: 'inbox_unavailable' });
    expect(await claimFrom(await open())).toMatchObject({ key: 'key-1', attempts: 2 });
  });

  it('is made once by those that start together, and refuses tables of another version', async () => {
    await current().close();
    await server.query(database, 'DROP SCHEMA modelgate_bot CASCADE');
    const all = await Promise.all([open(), open(), open(), open()]);
    expect(await all[0].put(job(1), start)).toBe('stored');
    expect(await all[3].put(job(1), start)).toBe('known');
    await all[0].setNote('version of the tables', '99');
    await expect(openInbox(url)).rejects.toMatchObject({ code: 'inbox_unavailable', message: /version 99/ });
  });

  it('refuses what cannot be reached, and never tells the password', async () => {
    const closed = await freePort();
    for (const [address, message] of [
      [server.url(database, 'canary-wrong'), /password/],
      [server.url('nowhere', 'canary-of-postgres'), /no such database/],
      [`postgres://ann:canary-wrong@127.0.0.1:${closed}/bot`, /Nobody listens/],
      ['postgres://ann:canary-wrong@[broken/bot', /cannot be reached/],
    ] as const) {
      const error: unknown = await openInbox(address).catch((one: unknown) => one);
      expect(error).toMatchObject({ code: 'inbox_unavailable', message });
      const { message: told, where, fix, stack } = error as Error & { where: string; fix: string };
      expect(JSON.stringify([told, where, fix, stack])).not.toContain('canary');
    }
  });
});
