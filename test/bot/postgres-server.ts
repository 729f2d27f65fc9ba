import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** Where Debian, Fedora and others put the server's programs, the newest first; they are often not on the PATH. */
function binFolder(): string | null {
  const versioned = ['/usr/lib/postgresql', '/opt/homebrew/opt', '/usr/local/opt'].flatMap((folder) =>
    existsSync(folder)
      ? readdirSync(folder)
          .filter((name) => /^(postgresql@)?\d+$/.test(name))
          .sort((a, b) => Number(b.replace(/\D/g, '')) - Number(a.replace(/\D/g, '')))
          .map((name) => path.join(folder, name, 'bin'))
      : [],
  );
  const folders = [...versioned, ...(process.env.PATH ?? '').split(path.delimiter)];
  return (
    folders.find((one) => ['initdb', 'postgres'].every((name) => existsSync(path.join(one, name)))) ?? null
  );
}

/** What is said when there is no PostgreSQL to test against; null when there is one. Under CI there must be one. */
export function noPostgres(): string | null {
  if (process.env.CI || binFolder() !== null) return null;
  return 'no PostgreSQL: run scripts/install-tools.sh';
}

const user = 'modelgate';
const password = 'canary-of-postgres';

/** A server of its own on a free port of the loopback, which asks for a password. */
export class PostgresServer implements AsyncDisposable {
  readonly port: number;
  private readonly folder: string;
  private readonly child: ChildProcess;

  private constructor(folder: string, port: number, child: ChildProcess) {
    this.folder = folder;
    this.port = port;
    this.child = child;
  }

  static async start(port: number): Promise<PostgresServer> {
    const bin = binFolder();
    if (bin === null) throw new Error('no PostgreSQL: run scripts/install-tools.sh');
    const folder = mkdtempSync(path.join(os.tmpdir(), 'modelgate-postgres-'));
    const asUser = ordinaryUser();
    const secret = path.join(folder, 'password');
    writeFileSync(secret, password);
    if (asUser !== null) {
      for (const one of [folder, secret]) chownSync(one, asUser.uid, asUser.gid);
      // the folder of a test run is closed to others: they may pass, and see nothing
      chmodSync(path.dirname(folder), statSync(path.dirname(folder)).mode | 0o001);
    }
    const options = { cwd: folder, env: { PATH: process.env.PATH, LC_ALL: 'C' }, ...asUser };
    const data = path.join(folder, 'data');
    execFileSync(
      path.join(bin, 'initdb'),
      ['--pgdata', data, '--username', user, '--pwfile', secret, '--auth', 'scram-sha-256', '--no-sync'],
      { ...options, stdio: ['ignore', 'ignore', 'pipe'] },
    );
    const child = spawn(
      path.join(bin, 'postgres'),
      [
        ...['-D', data, '-p', String(port), '-c', 'listen_addresses=127.0.0.1'],
        ...['-c', `unix_socket_directories=${folder}`, '-c', 'fsync=off', '-c', 'shared_buffers=16MB'],
      ],
      { ...options, stdio: 'ignore' },
    );
    const server = new PostgresServer(folder, port, child);
    await server.query('postgres', 'SELECT 1', 30_000);
    return server;
  }

  /** A new, empty database. */
  async database(name: string): Promise<string> {
    await this.query('postgres', `CREATE DATABASE ${name}`);
    return this.url(name);
  }

  url(database: string, secret = password): string {
    return `postgres://${user}:${secret}@127.0.0.1:${this.port}/${database}`;
  }

  /** Tries again until the server listens. */
  async query(database: string, text: string, within = 0): Promise<Record<string, unknown>[]> {
    const { Client } = await import('pg');
    const until = Date.now() + within;
    for (;;) {
      const client = new Client({ connectionString: this.url(database) });
      try {
        await client.connect();
        return (await client.query<Record<string, unknown>>(text)).rows;
      } catch (error) {
        if (Date.now() > until || this.child.exitCode !== null) throw error;
        await sleep(50);
      } finally {
        await client.end().catch(() => {});
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise((resolve) => this.child.once('close', resolve));
    // an immediate shutdown: nothing of it is wanted any more
    if (this.child.exitCode === null && this.child.kill('SIGQUIT')) await closed;
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** PostgreSQL refuses to run as root. */
function ordinaryUser(): { uid: number; gid: number } | null {
  if (process.getuid?.() !== 0) return null;
  const id = (flag: string) => Number(execFileSync('id', [flag, 'nobody'], { encoding: 'utf8' }));
  return { uid: id('-u'), gid: id('-g') };
}
