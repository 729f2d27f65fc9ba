import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { z } from 'zod';
import { defineCommand } from '../command.ts';
import { setUpBot } from './bot-setup.ts';

/** What still goes on may be begun again by another process: the answer is written, and no more. */
function endSoon(): void {
  setTimeout(() => process.exit(), 200).unref();
}

const botCommand = defineCommand({
  name: 'bot',
  description:
    'Runs the GitHub App: commands in comments, reports on pull requests, drift issues. APP_ID, PRIVATE_KEY and WEBHOOK_SECRET come from the environment.',
  positional: [],
  options: z.object({
    port: z.number().int().min(0).max(65_535).default(3000).describe('0 takes a free one'),
    host: z.string().default('127.0.0.1').describe('Where to listen; 0.0.0.0 in a container'),
    inbox: z
      .string()
      .optional()
      .describe(
        'Where deliveries wait: a file on a local disk for one process, or postgres://HOST/DATABASE for several. Else MODELGATE_BOT_INBOX, else .modelgate/bot.sqlite',
      ),
    credentials: z
      .string()
      .optional()
      .describe('A file as --setup makes it: what the environment does not set is taken from it'),
    setup: z
      .boolean()
      .default(false)
      .describe('Makes the GitHub App with a page on this machine, stores its credentials, and ends'),
    webhook_url: z.string().optional().describe('With --setup: the URL under which GitHub reaches the bot'),
    organization: z
      .string()
      .optional()
      .describe('With --setup: the organisation that is to own the app. Default: you'),
  }),
  examples: [
    'modelgate bot --setup --webhook-url https://modelgate.example.com --organization acme',
    'modelgate bot --port 3000 --inbox /var/lib/modelgate/bot.sqlite',
  ],
  async run({ port, host, inbox, setup, credentials = null, ...made }, { context }) {
    if (setup) {
      const { webhook_url: webhookUrl = null, organization = null } = made;
      return setUpBot({ host, port, webhookUrl, organization, credentials }, context);
    }
    const started = performance.now();
    const { readSettings } = await import('../../../bot/settings.ts');
    const { withCredentials } = await import('../../../bot/credentials.ts');
    const environment = await withCredentials(credentials, process.env);
    const { url } = context.store.storage;
    const store = url.startsWith('s3://') || existsSync(url) ? url : null;
    const settings = await readSettings({ port, host, inbox: inbox ?? null, store }, environment);
    const { shownInbox } = await import('../../../bot/open-inbox.ts');
    const { startBot } = await import('../../../bot/main.ts');
    const bot = await startBot({ settings, environment });
    const stopped = new Promise<null>((resolve) => {
      if (context.signal.aborted) resolve(null);
      context.signal.addEventListener('abort', () => resolve(null), { once: true });
    });
    const { jobs, parked } = await Promise.race([stopped, bot.lost])
      .then((lost) => {
        if (lost !== null) throw lost;
        return bot.counts();
      })
      .catch((error: unknown) => {
        endSoon();
        throw error;
      });
    if (!(await bot.close())) endSoon();
    return {
      schema: 'modelgate.outcome/1',
      stage: 'bot',
      verdict: 'pass',
      reason_code: 'done',
      summary: `The inbox holds ${jobs} jobs, ${parked} of them parked.`,
      inputs: { host, port, inbox: shownInbox(settings.inbox) },
      outputs: { url: bot.url, jobs, parked },
      timings: { total: Math.round(performance.now() - started) / 1000 },
      trace_id: randomUUID(),
      cached: false,
    };
  },
});

export const botCommands = [botCommand];
