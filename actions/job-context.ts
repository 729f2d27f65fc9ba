import * as core from '@actions/core';
import { getOctokit, context as job } from '@actions/github';
import { ContextSource } from '../bot/context.ts';
import type { ChatopsContext } from '../src/chatops/context.ts';
import { octokitGitHub } from '../src/github/octokit.ts';
import { lines } from './inputs.ts';
import { runnerLog } from './log.ts';

/** The repository of this run as commands see it, with the job's token; read anew at each call. */
export function jobContext(options: {
  redact: (text: string) => string;
  /** Whose replies and runs are ours. */
  appSlug: string;
}): () => Promise<ChatopsContext> {
  const { logger } = runnerLog((line) => core.info(line), options.redact, process.env.RUNNER_DEBUG === '1');
  const github = octokitGitHub({
    client: getOctokit(core.getInput('github-token', { required: true })),
    repository: { owner: job.repo.owner, repo: job.repo.repo },
    appSlug: options.appSlug,
  });
  const source = new ContextSource({
    settings: { store: core.getInput('store') || null, configFiles: lines(core.getInput('config')) },
    logger,
  });
  return () => source.of(github);
}
