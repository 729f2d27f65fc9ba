import { type ChildProcess, spawn } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { request } from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { parseEnv } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FakeGitHubServer } from '../github/fake/server.ts';
import { eventually, freePort, manifest, secret } from './world.ts';

const bin = path.resolve('bin/modelgate.js');
const code = 'a180b1a3d263c81bc6441d7b990bae27d4c10679';

let github: FakeGitHubServer;
let folder: string;
let file: string;
let child: ChildProcess | null = null;
let out: string;
let err: string;
beforeEach(async () => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'modelgate-setup-'));
  file = path.join(folder, 'state/app.env');
  github = await FakeGitHubServer.start({ webhookSecret: secret });
});
afterEach(async () => {
  child?.kill('SIGKILL');
  const { violations } = github;
  await github[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
  expect(violations).toEqual([]);
});

/** Starts `modelgate bot`; gives its exit code when it ends. */
function run(...args: string[]): Promise<number | null> {
  [out, err] = ['', ''];
  const env = { PATH: process.env.PATH, GHE_HOST: new URL(github.url).host, GHE_PROTOCOL: 'http' };
  const started = spawn(process.execPath, [bin, 'bot', '--json', '--credentials', file, ...args], {
    cwd: folder,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  child = started;
  started.stdout.on('data', (text) => {
    out += text;
  });
  started.stderr.on('data', (text) => {
    err += text;
  });
  return new Promise((resolve) => started.once('close', resolve));
}

const setup = (...args: string[]) =>
  run('--setup', '--port', '0', '--webhook-url', 'https://bot.acme.com', ...args);

async function page(): Promise<string> {
  await eventually(
    () => err,
    (text) => text.includes('Open http'),
    { what: 'the address of the page' },
  );
  return /Open (\S+)/.exec(err)?.[1] ?? '';
}

/** What a browser reads in the page: where the form goes, and the manifest in it. */
async function read(url: string): Promise<{ action: URL; form: Record<string, unknown> }> {
  const answer = await fetch(url);
  expect(answer.status).toBe(200);
  expect(answer.headers.get('content-security-policy')).toContain("default-src 'none'");
  const text = await answer.text();
  const plain = (value = '') => value.replaceAll('&quot;', '"').replaceAll('&amp;', '&');
  const action = new URL(plain(/<form method="post" action="([^"]*)"/.exec(text)?.[1]));
  const form = JSON.parse(plain(/name="manifest" value="([^"]*)"/.exec(text)?.[1])) as Record<
    string,
    unknown
  >;
  return { action, form };
}

describe('bot --setup as a process', () => {
  it('makes the app, stores what it signs with, and the bot starts with that', {
    timeout: 60_000,
  }, async () => {
    const ended = setup('--organization', 'acme');
    const url = await page();
    expect(new URL(url).hostname).toBe('127.0.0.1');
    const { action, form } = await read(url);
    expect(action.pathname).toBe('/organizations/acme/settings/apps/new');
    expect(form).toMatchObject({
      public: false,
      hook_attributes: { url: 'https://bot.acme.com/api/github/webhooks', active: true },
      redirect_url: `${url}/made`,
      ...manifest,
    });
    github.manifestCodes.add(code);
    const state = action.searchParams.get('state') ?? '';
    const back = await fetch(`${url}/made?code=${code}&state=${state}`);
    const told = await back.text();
    expect(back.status).toBe(200);
    expect(told).toContain(`/github-apps/${github.app.slug}/installations/new`);
    expect(await ended).toBe(0);

    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readdirSync(path.dirname(file))).toEqual(['app.env']);
    const stored = parseEnv(readFileSync(file, 'utf8'));
    expect(stored).toMatchObject({ APP_ID: String(github.app.id), WEBHOOK_SECRET: secret });
    expect(stored.PRIVATE_KEY?.trim()).toBe(github.app.privateKey.trim());
    expect(JSON.parse(out)).toMatchObject({ verdict: 'pass', app_id: github.app.id, credentials: file });
    const key = github.app.privateKey.split('\n')[1] ?? '';
    for (const canary of [secret, key, code]) expect(`${out}${err}${told}`).not.toContain(canary);

    const port = await freePort();
    const stopped = run('--port', String(port), '--inbox', path.join(folder, 'bot.sqlite'));
    const ready = () =>
      fetch(`http://127.0.0.1:${port}/readyz`).then(
        ({ status }) => status,
        () => 0,
      );
    await eventually(ready, (status) => status === 200, { what: 'a bot that GitHub knows' });
    child?.kill('SIGTERM');
    expect(await stopped).toBe(0);
  });

  it('takes nothing that it did not ask for, and tries again when GitHub fails', {
    timeout: 60_000,
  }, async () => {
    const ended = setup();
    const url = await page();
    const { action } = await read(url);
    expect(action.pathname).toBe('/settings/apps/new');
    const state = action.searchParams.get('state') ?? '';
    github.manifestCodes.add(code);
    const status = async (address: string, init?: RequestInit) => (await fetch(address, init)).status;
    const { origin } = new URL(url);
    for (const [address, expected] of [
      [origin, 404],
      [`${origin}/${'0'.repeat(32)}/made?code=${code}&state=${state}`, 404],
      [`${url}/made?code=${code}&state=${'0'.repeat(32)}`, 400],
      [`${url}/made?code=${code}`, 400],
      [`${url}/made?code=..%2F..%2Fuser&state=${state}`, 400],
      [`${url}/made?code=unknown&state=${state}`, 502],
    ] as const)
      expect([address, await status(address)]).toEqual([address, expected]);
    expect(await status(`${url}/made?code=${code}&state=${state}`, { method: 'POST' })).toBe(404);
    expect(await statusAs('evil.example.com', url)).toBe(404);
    expect(github.count('apps/create-from-manifest')).toBe(0);
    github.faults.next('apps/create-from-manifest', { kind: 'refuse', status: 503 });
    expect(await status(`${url}/made?code=${code}&state=${state}`)).toBe(502);
    expect(existsSync(path.dirname(file))).toBe(false);
    expect(await status(`${url}/made?code=${code}&state=${state}`)).toBe(200);
    expect(await ended).toBe(0);
    expect(existsSync(file)).toBe(true);
  });

  it('overwrites no credentials, and wants an https address', { timeout: 60_000 }, async () => {
    expect(await run('--setup', '--port', '0', '--webhook-url', 'http://bot.acme.com')).toBe(1);
    expect(JSON.parse(out)).toMatchObject({ error: { code: 'bot_settings', where: '--webhook-url' } });
    file = path.join(folder, 'app.env');
    writeFileSync(file, 'APP_ID=7\n');
    chmodSync(file, 0o600);
    expect(await setup()).toBe(1);
    expect(JSON.parse(out)).toMatchObject({ error: { code: 'bot_settings', where: file } });
    expect(readFileSync(file, 'utf8')).toBe('APP_ID=7\n');
  });
});

/** As a page of another site reaches this machine, by a name of its own that leads here. */
function statusAs(host: string, url: string): Promise<number> {
  return new Promise((resolve, reject) => {
    request(url, { headers: { host } }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    })
      .once('error', reject)
      .end();
  });
}
