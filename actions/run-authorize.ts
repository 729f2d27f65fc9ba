import '../src/zod-interpreted.ts';
import * as core from '@actions/core';
import { mayEnter } from '../src/chatops/may-enter.ts';
import { errorRecord, UserError } from '../src/errors.ts';
import { type AuthorizeInputs, questionOf } from './authorize-inputs.ts';
import { jobContext } from './job-context.ts';
import { redactor } from './redact.ts';

/** What `actions/authorize/index.ts` calls: fails unless an accepted command started this very run. */
export async function runAuthorize(): Promise<void> {
  const redact = redactor(process.env);
  try {
    const names = ['app', 'model', 'environment', 'version', 'digest', 'expected-generation'] as const;
    const inputs = Object.fromEntries(names.map((name) => [name, core.getInput(name)])) as AuthorizeInputs;
    const { appSlug, question } = questionOf(inputs, process.env.GITHUB_RUN_ID);
    const context = await jobContext({ redact, appSlug })();
    const { allowed, reason, message } = await mayEnter(question, context);
    core.setOutput('allowed', String(allowed));
    core.setOutput('reason-code', reason);
    if (allowed) return core.info(redact(message));
    core.error(redact(message), { title: `Not authorized (${reason})` });
    process.exitCode = 1;
  } catch (error) {
    const { message, fix } = errorRecord(error);
    core.error(redact(`${message} ${fix}`), { title: 'ModelGate authorize' });
    process.exitCode = error instanceof UserError ? 1 : 70;
  }
}
