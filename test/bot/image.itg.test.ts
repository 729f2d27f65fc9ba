import { execFile, spawn } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { secret } from './world.ts';

const root = path.join(import.meta.dirname, '../..');
const dockerfile = readFileSync(path.join(root, 'bot/Dockerfile'), 'utf8');
const folder = mkdtempSync(path.join(os.tmpdir(), 'modelgate-image-'));
const build = path.join(folder, 'build');
const image = path.join(folder, 'app');

/** What .dockerignore lets into the build, with the packages that `npm ci` would bring. */
beforeAll(() => {
  const lines = readFileSync(path.join(root, '.dockerignore'), 'utf8').split('\n');
  const allowed = lines.filter((line) => line.startsWith('!')).map((line) => line.slice(1));
  for (const name of allowed) {
    const filter = (source: string) => !/(^|\/)(node_modules|\.modelgate|\.env|[^/]+\.pem)$/.test(source);
    if (existsSync(path.join(root, name)))
      cpSync(path.join(root, name), path.join(build, name), { recursive: true, filter });
  }
  link(path.join(root, 'node_modules'), path.join(build, 'node_modules'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A folder of links, so that the build writes nothing into ours. */
function link(from: string, to: string): void {
  mkdirSync(to, { recursive: true });
  for (const name of readdirSync(from))
    if (!name.startsWith('.')) symlinkSync(path.join(from, name), path.join(to, name));
}

it('the image has all that its entry needs', { timeout: 180_000 }, async () => {
  const command = /^RUN (node \S+) && /m.exec(dockerfile)?.[1]?.split(' ') ?? [];
  await promisify(execFile)(process.execPath, command.slice(1), { cwd: build });
  const copied = [...dockerfile.matchAll(/^COPY --from=build \S+ \/app\/(\S+) \.\/(\S*)$/gm)];
  expect(copied.map(([, source]) => source)).toEqual(['package.json', 'bin', 'dist', 'node_modules']);
  for (const [, source = '', target = ''] of copied)
    cpSync(path.join(build, source), path.join(image, target || source), { recursive: true });

  const entry = JSON.parse(/^ENTRYPOINT (\[.*\])$/m.exec(dockerfile)?.[1] ?? '[]') as string[];
  const [, file = '', ...args] = entry;
  const own = [...args.with(args.indexOf('--host') + 1, '127.0.0.1'), '--port', '0'];
  const start = (more: string[], environment: Record<string, string> = {}) =>
    spawn(process.execPath, [file.replace('/app', image), ...own, ...more], {
      cwd: folder,
      env: { PATH: process.env.PATH, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  const told = async (environment?: Record<string, string>) => {
    let said = '';
    for await (const text of start(['--json'], environment).stdout) said += text;
    return JSON.parse(said);
  };
  expect(await told()).toMatchObject({ error: { code: 'bot_settings', where: 'APP_ID' } });
  // a driver that could not be loaded would be our error, not the inbox's
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const settings = {
    ...{ APP_ID: '1', WEBHOOK_SECRET: secret, MODELGATE_BOT_INBOX: 'postgres://bot@127.0.0.1:1/bot' },
    PRIVATE_KEY: String(privateKey.export({ type: 'pkcs8', format: 'pem' })),
  };
  expect(await told(settings)).toMatchObject({
    error: { code: 'inbox_unavailable', message: expect.stringContaining('Nobody listens') },
  });

  // the manifest of the app is beside the bundle
  const setup = start(['--setup', '--webhook-url', 'https://bot.acme.com']);
  let page = '';
  for await (const line of createInterface({ input: setup.stderr })) {
    const url = /Open (\S+)/.exec(line)?.[1];
    if (url === undefined) continue;
    page = await (await fetch(url)).text();
    setup.kill('SIGTERM');
  }
  expect(page).toContain('deployment_protection_rule');
});
