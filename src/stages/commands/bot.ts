import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { z } from 'zod';
import { defineCommand } from '../command.ts';

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
      .default('.modelgate/bot.sqlite')
      .describe('The file where deliveries wait; on a local disk, one process at a time'),
  }),
  examples: ['modelgate bot --port 3000 --inbox /var/lib/modelgate/bot.sqlite'],
  async run({ port, host, inbox }, { context }) {
    const started = performance.now();
    const { readSettings } = await import('../../../bot/settings.ts');
    const { url } = context.store.storage;
    const store = url.startsWith('s3://') || existsSync(url) ? url : null;
    const settings = await readSettings({ port, host, inbox, store }, process.env);
    const { startBot } = await import('../../../bot/main.ts');
    const bot = await startBot({ settings, environment: process.env });
    await new Promise<void>((resolve) => {
      if (context.signal.aborted) resolve();
      context.signal.addEventListener('abort', () => resolve(), { once: true });
    });
    const { jobs, parked } = bot.counts();
    await bot.close();
    return {
      schema: 'modelgate.outcome/1',
      stage: 'bot',
      verdict: 'pass',
      reason_code: 'done',
      summary: `The inbox holds ${jobs} jobs, ${parked} of them parked.`,
      inputs: { host, port, inbox },
      outputs: { url: bot.url, jobs, parked },
      timings: { total: Math.round(performance.now() - started) / 1000 },
      trace_id: randomUUID(),
      cached: false,
    };
  },
});

export const botCommands = [botCommand];
