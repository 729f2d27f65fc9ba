import { randomUUID } from 'node:crypto';
import path from 'node:path';
import { UserError } from '../../errors.ts';
import type { Logger } from '../../logger.ts';
import type { StageOutcome } from '../define.ts';

const webhookPath = '/api/github/webhooks';
const loopback = /^(127\.0\.0\.1|\[::1\]|localhost)$/;

export interface BotSetup {
  host: string;
  port: number;
  webhookUrl: string | null;
  organization: string | null;
  credentials: string | null;
}

/** `modelgate bot --setup`: makes the GitHub App with a person at a browser, and stores what it signs with. */
export async function setUpBot(
  { host, port, webhookUrl, organization, credentials }: BotSetup,
  { logger, signal }: { logger: Logger; signal: AbortSignal },
): Promise<StageOutcome<Record<string, unknown>>> {
  const started = performance.now();
  const { defaultCredentials } = await import('../../../bot/credentials.ts');
  const { githubUrls } = await import('../../../bot/settings.ts');
  const { setUp } = await import('../../../bot/setup.ts');
  const hook = webhookOf(webhookUrl);
  const file = path.resolve(credentials ?? defaultCredentials);
  const { appId, slug, install } = await setUp({
    ...{ host, port, webhookUrl: hook, organization: organizationOf(organization), file, signal },
    github: githubUrls(process.env),
    opened: (url) => logger.info(`Open ${url} in a browser on this machine.`),
  });
  return {
    schema: 'modelgate.outcome/1',
    stage: 'bot',
    verdict: 'pass',
    reason_code: 'done',
    summary: `The app ${slug} is made, and its credentials are in ${file}. Install it at ${install}, then start the bot with --credentials ${file}.`,
    inputs: { host, port, webhook_url: hook, organization },
    outputs: { app_id: appId, slug, credentials: file, install },
    timings: { total: Math.round(performance.now() - started) / 1000 },
    trace_id: randomUUID(),
    cached: false,
  };
}

/** Webhooks hold comments of private repositories: over TLS, but for a bot that is tried out on one machine. */
function webhookOf(given: string | null): string {
  const url = given === null ? null : URL.parse(given);
  const secure =
    url !== null && (url.protocol === 'https:' || (url.protocol === 'http:' && loopback.test(url.hostname)));
  if (url === null || !secure || url.username !== '' || url.hash !== '') {
    throw refused(
      '--webhook-url',
      given === null ? 'Where GitHub finds the bot is not said.' : 'The URL of the bot is not an https URL.',
      'Give the URL under which GitHub reaches the bot, e.g. --webhook-url https://modelgate.example.com.',
    );
  }
  if (url.pathname === '/') url.pathname = webhookPath;
  return url.href;
}

function organizationOf(given: string | null): string | null {
  if (given === null || /^[A-Za-z0-9-]{1,39}$/.test(given)) return given;
  throw refused('--organization', 'This is no name of an organisation.', 'Give it as in its URL on GitHub.');
}

const refused = (where: string, message: string, fix: string): UserError =>
  new UserError({ code: 'bot_settings', message, where, fix });
