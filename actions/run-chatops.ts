import '../src/zod-interpreted.ts';
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import * as core from '@actions/core';
import { errorRecord, UserError } from '../src/errors.ts';
import { commentOf } from './chatops-event.ts';
import { executeChatops } from './execute-chatops.ts';
import { jobContext } from './job-context.ts';
import { redactor } from './redact.ts';

/** What `actions/chatops/index.ts` calls: the comment of this run's event, with the job's token. */
export async function runChatops(): Promise<void> {
  const redact = redactor(process.env);
  try {
    const text = await readFile(process.env.GITHUB_EVENT_PATH ?? '', 'utf8');
    const comment = commentOf({ name: process.env.GITHUB_EVENT_NAME, text });
    if (comment === null) return core.info('Not a new comment of a person.');
    const context = jobContext({ redact, appSlug: 'github-actions' });
    const wait = minutes(core.getInput('wait'));
    const result = await executeChatops({ comment, context, wait, sleep });
    core.setOutput('decision', result?.decision ?? '');
    core.setOutput('reason-code', result?.reason ?? '');
    core.setOutput('op-id', result?.operation?.opId ?? '');
    core.info(result === null ? 'The comment holds no command.' : `${result.decision} (${result.reason})`);
    if (result?.decision === 'failed') process.exitCode = 1;
  } catch (error) {
    const { message, fix } = errorRecord(error);
    core.error(redact(`${message} ${fix}`), { title: 'ModelGate chatops' });
    process.exitCode = error instanceof UserError ? 1 : 70;
  }
}

/** Milliseconds. */
function minutes(text: string): number {
  const given = /^\d{1,2}$/.test(text) ? Number(text) : Number.NaN;
  if (given <= 60) return given * 60_000;
  throw new UserError({
    code: 'usage',
    message: `${JSON.stringify(text.slice(0, 20))} is not a number of minutes.`,
    where: 'input wait',
    fix: 'Give a whole number from 0 to 60.',
  });
}
