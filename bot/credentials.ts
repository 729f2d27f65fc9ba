import { randomBytes } from 'node:crypto';
import { link, lstat, mkdir, open, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { parseEnv } from 'node:util';
import { hasCode, UserError } from '../src/errors.ts';

export const defaultCredentials = '.modelgate/app.env';

export interface Credentials {
  appId: number;
  /** PEM. */
  privateKey: string;
  webhookSecret: string;
}

/** Throws `bot_settings` where something is there already: it may be the only copy of another app's key. */
export async function requireFree(file: string): Promise<void> {
  const there = await lstat(file).catch((error: unknown) => {
    if (hasCode(error, 'ENOENT')) return null;
    throw error;
  });
  if (there !== null) throw taken(file);
}

/**
 * Writes what a GitHub App signs with into a new file that only this user may read, all of it or nothing. Throws
 * `bot_settings` where there is one already.
 */
export async function storeCredentials(
  file: string,
  { appId, privateKey, webhookSecret }: Credentials,
): Promise<void> {
  const lines = [
    '# Made by modelgate bot --setup. Whoever can read this can act as the app.',
    `APP_ID=${appId}`,
    `PRIVATE_KEY="${privateKey.trim().replaceAll('\n', '\\n')}"`,
    `WEBHOOK_SECRET=${webhookSecret}`,
  ];
  const temporary = `${file}.${randomBytes(6).toString('hex')}`;
  await mkdir(path.dirname(file), { recursive: true });
  const handle = await open(temporary, 'wx', 0o600);
  try {
    await handle.writeFile(`${lines.join('\n')}\n`);
    await handle.sync();
    // never over a file that came in the meantime
    await link(temporary, file);
  } catch (error) {
    throw hasCode(error, 'EEXIST') ? taken(file) : error;
  } finally {
    await handle.close();
    await rm(temporary, { force: true });
  }
}

/** The environment with what such a file adds; what is set in the environment itself counts. Throws `bot_settings`. */
export async function withCredentials(
  file: string | null,
  environment: NodeJS.ProcessEnv,
): Promise<NodeJS.ProcessEnv> {
  if (file === null) return environment;
  try {
    return { ...parseEnv(await readFile(file, 'utf8')), ...environment };
  } catch (error) {
    throw new UserError({
      code: 'bot_settings',
      message: 'The file of credentials cannot be read.',
      where: file,
      fix: 'Make it with modelgate bot --setup, or name the right one with --credentials.',
      cause: error,
    });
  }
}

const taken = (file: string): UserError =>
  new UserError({
    code: 'bot_settings',
    message: 'There is a file already where the credentials should go.',
    where: file,
    fix: 'Name another one with --credentials; this one may hold the only key of an app.',
  });
