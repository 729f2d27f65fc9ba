import { generateKeyPairSync } from 'node:crypto';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { readSettings } from '../../bot/settings.ts';

const { privateKey } = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
});
const given = { host: '127.0.0.1', port: 0, inbox: 'bot.sqlite', store: null };
const sound = { APP_ID: '1', PRIVATE_KEY: privateKey, WEBHOOK_SECRET: '0123456789abcdef0123456789abcdef' };
const read = (change: NodeJS.ProcessEnv) => readSettings(given, { ...sound, ...change });

describe('the settings of the bot', () => {
  it('are refused without a strong secret of its own', async () => {
    for (const WEBHOOK_SECRET of [undefined, '', 'development', 'x'.repeat(31), 'x'.repeat(64)])
      await expect(read({ WEBHOOK_SECRET })).rejects.toMatchObject({
        code: 'bot_settings',
        where: 'WEBHOOK_SECRET',
      });
  });

  it('take the key as stores of secrets give it', async () => {
    for (const PRIVATE_KEY of [
      privateKey,
      privateKey.replaceAll('\n', '\\n'),
      `"${privateKey}"`,
      Buffer.from(privateKey).toString('base64'),
    ])
      expect((await read({ PRIVATE_KEY })).privateKey).toBe(privateKey);
    await expect(read({ PRIVATE_KEY: 'no key' })).rejects.toMatchObject({ code: 'bot_settings' });
  });

  it('never show a value that is wrong', async () => {
    const error = await read({ PRIVATE_KEY: 'canary-key', GHE_HOST: 'canary host' }).catch(String);
    expect(error).not.toContain('canary');
  });

  it('take the inbox from the command line or the environment, a password from the environment alone', async () => {
    const inboxOf = async (inbox: string | null, MODELGATE_BOT_INBOX?: string) =>
      (await readSettings({ ...given, inbox }, { ...sound, MODELGATE_BOT_INBOX })).inbox;
    const shared = 'postgres://bot:canary@db/bot';
    expect(await inboxOf(null, shared)).toBe(shared);
    expect(await inboxOf('/var/bot.sqlite', shared)).toBe('/var/bot.sqlite');
    expect(await inboxOf('postgres://bot@db/bot')).toBe('postgres://bot@db/bot');
    expect(await inboxOf(null)).toBe(path.resolve('.modelgate/bot.sqlite'));
    for (const url of [shared, 'postgresql://db/bot?password=canary']) {
      const error: unknown = await inboxOf(url).catch((one: unknown) => one);
      expect(error).toMatchObject({ code: 'bot_settings', where: '--inbox' });
      expect(String(error)).not.toContain('canary');
    }
  });

  it('know GitHub Enterprise, and take no path out of the repository', async () => {
    expect((await read({})).apiUrl).toBe('https://api.github.com');
    expect((await read({ GHE_HOST: 'git.acme.com' })).apiUrl).toBe('https://git.acme.com/api/v3');
    for (const MODELGATE_CONFIG_FILES of ['../x.yaml', '/etc/x.yaml', 'a/../../b'])
      await expect(read({ MODELGATE_CONFIG_FILES })).rejects.toMatchObject({ code: 'bot_settings' });
  });
});
