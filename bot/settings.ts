import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { UserError } from '../src/errors.ts';
import { isPostgres, secretsOfInbox } from './open-inbox.ts';

/** What the bot needs to run, from its command line and environment. */
export interface Settings {
  appId: number;
  /** PEM. */
  privateKey: string;
  webhookSecret: string;
  /** Of GitHub's API, without a slash at its end. */
  apiUrl: string;
  host: string;
  port: number;
  /** The SQLite file that deliveries are written to, or the postgres:// URL of a database of several processes. */
  inbox: string;
  /** A folder or s3://bucket/prefix; `{owner}` and `{repo}` stand for the repository. Null: what modelgate.yaml names. */
  store: string | null;
  /** Paths of modelgate.yaml in a repository, and patterns with * and **; those that are there count. */
  configFiles: string[];
  /** How many jobs are worked on at the same time. */
  concurrency: number;
}

const least = 32;
const relativePath = z
  .string()
  .max(500)
  .regex(/^(?!\/)(?!.*(^|\/)\.\.(\/|$))[^\0\\]+$/, 'expected a path inside the repository');
const whole = z.coerce.number().int();
const host = {
  GHE_HOST: z
    .string()
    .regex(/^[A-Za-z0-9.-]+(:\d+)?$/, 'expected a host')
    .optional(),
  GHE_PROTOCOL: z.enum(['https', 'http']).default('https'),
};
const Environment = z.object({
  ...host,
  APP_ID: whole.positive(),
  PRIVATE_KEY: z.string().optional(),
  PRIVATE_KEY_PATH: z.string().optional(),
  WEBHOOK_SECRET: z.string(),
  MODELGATE_STORE: z.string().min(1).optional(),
  MODELGATE_BOT_INBOX: z.string().min(1).max(2000).optional(),
  MODELGATE_CONFIG_FILES: z
    .string()
    .default('modelgate.yaml')
    .transform((list) => list.split(',').map((one) => one.trim()))
    .pipe(z.array(relativePath).min(1).max(500)),
  MODELGATE_BOT_CONCURRENCY: whole.min(1).max(64).default(8),
});

export interface Given {
  host: string;
  port: number;
  /** Null: what MODELGATE_BOT_INBOX says, else a file in the working folder. */
  inbox: string | null;
  store: string | null;
}

/** Throws `bot_settings` for what is missing or unsafe; no value is ever in the message. */
export async function readSettings(given: Given, environment: NodeJS.ProcessEnv): Promise<Settings> {
  const env = parsed(Environment, environment);
  requireSecret(env.WEBHOOK_SECRET);
  const store = env.MODELGATE_STORE ?? given.store;
  return {
    appId: env.APP_ID,
    privateKey: await privateKeyOf(env),
    webhookSecret: env.WEBHOOK_SECRET,
    apiUrl: urlsOf(env).api,
    host: given.host,
    port: given.port,
    inbox: inboxOf(given.inbox, env.MODELGATE_BOT_INBOX),
    store: store === null || store.startsWith('s3://') ? store : path.resolve(store),
    configFiles: env.MODELGATE_CONFIG_FILES,
    concurrency: env.MODELGATE_BOT_CONCURRENCY,
  };
}

/** Without a slash at their ends. */
export interface GitHubUrls {
  api: string;
  web: string;
  /** The folder of apps' pages on the web. */
  apps: string;
}

/** Where GitHub is, before there is an app. Throws `bot_settings`. */
export const githubUrls = (environment: NodeJS.ProcessEnv): GitHubUrls =>
  urlsOf(parsed(z.object(host), environment));

function urlsOf({ GHE_HOST: name, GHE_PROTOCOL: protocol }: z.infer<z.ZodObject<typeof host>>): GitHubUrls {
  if (name === undefined) return { api: 'https://api.github.com', web: 'https://github.com', apps: 'apps' };
  const web = `${protocol}://${name}`;
  return { api: `${web}/api/v3`, web, apps: 'github-apps' };
}

function parsed<Shape extends z.ZodRawShape>(
  schema: z.ZodObject<Shape>,
  environment: NodeJS.ProcessEnv,
): z.infer<z.ZodObject<Shape>> {
  const present = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''));
  const result = schema.safeParse(present);
  if (result.success) return result.data;
  const name = String(result.error.issues[0]?.path[0]);
  const absent = present[name] === undefined;
  throw refuse(name, absent ? `${name} is not set.` : `${name} is not valid.`);
}

/** Every user of the machine can read a command line. */
function inboxOf(given: string | null, inEnvironment: string | undefined): string {
  if (given !== null && secretsOfInbox(given).length > 0)
    throw new UserError({
      code: 'bot_settings',
      message: 'The URL of the inbox has a password on the command line.',
      where: '--inbox',
      fix: 'Set MODELGATE_BOT_INBOX to the URL instead, or leave the password out and set PGPASSWORD or PGPASSFILE.',
    });
  const inbox = given ?? inEnvironment ?? '.modelgate/bot.sqlite';
  return isPostgres(inbox) ? inbox : path.resolve(inbox);
}

/** Probot takes the public word `development` where there is none: anybody could sign a webhook. */
function requireSecret(secret: string): void {
  if (secret.length >= least && new Set(secret).size >= 8) return;
  throw refuse('WEBHOOK_SECRET', `The webhook secret is too weak: at least ${least} random characters.`);
}

async function privateKeyOf({
  PRIVATE_KEY: inline,
  PRIVATE_KEY_PATH: file,
}: z.infer<typeof Environment>): Promise<string> {
  if (inline !== undefined) return requireKey(inline);
  if (file === undefined) throw refuse('PRIVATE_KEY', 'Neither PRIVATE_KEY nor PRIVATE_KEY_PATH is set.');
  try {
    return requireKey(await readFile(file, 'utf8'));
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw refuse('PRIVATE_KEY_PATH', 'The file that PRIVATE_KEY_PATH names cannot be read.');
  }
}

/** As PEM, as PEM whose line ends are written `\n`, or as base64 of it: what secret stores make of a key. */
function requireKey(text: string): string {
  const plain = text.trim().replace(/^"|"$/g, '').replaceAll('\\n', '\n').trim();
  const pem = plain.startsWith('-----BEGIN') ? plain : Buffer.from(plain, 'base64').toString('utf8').trim();
  if (/^-----BEGIN (RSA )?PRIVATE KEY-----[\s\S]+-----END (RSA )?PRIVATE KEY-----$/.test(pem))
    return `${pem}\n`;
  throw refuse('PRIVATE_KEY', 'The private key of the app is not a PEM file.');
}

function refuse(name: string, message: string): UserError {
  return new UserError({
    code: 'bot_settings',
    message,
    where: name,
    fix: 'See docs/bot.md: APP_ID, PRIVATE_KEY or PRIVATE_KEY_PATH, and WEBHOOK_SECRET come from the settings of your GitHub App; `openssl rand -hex 32` makes a secret.',
  });
}
