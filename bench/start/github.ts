/**
 * A fake GitHub with the small repository, in a process of its own: a start is waited for synchronously. Run by itself
 * it is the server, which makes its GitHub anew for each message.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { FakeGitHubServer } from '../../test/github/fake/server.ts';

/** What a job is told of a GitHub where a maintainer has just commented. */
export interface Session {
  url: string;
  token: string;
  /** Of the webhook `issue_comment.created`. */
  event: string;
}

export interface GitHubProcess {
  /** GitHub as it was before anybody did anything but comment. */
  anew(): Promise<Session>;
  /** Id of the run that was started last. */
  lastRun(): Promise<string>;
  stop(): void;
}

type Message = { ask: 'anew' } | { ask: 'last run' };

/** Starts it. `config` is the text of modelgate.yaml, `comment` what stands in an issue. */
export function startGitHub({ config, comment }: { config: string; comment: string }): GitHubProcess {
  const child = fork(import.meta.filename, [config, comment]);
  const ask = async <T>(message: Message): Promise<T> => {
    child.send(message);
    const ended = new AbortController();
    const failed = once(child, 'exit', { signal: ended.signal }).then(() => {
      throw new Error('the fake GitHub has ended');
    });
    const [answer] = (await Promise.race([once(child, 'message'), failed])) as [T];
    ended.abort();
    failed.catch(() => {});
    return answer;
  };
  return {
    anew: () => ask<Session>({ ask: 'anew' }),
    lastRun: () => ask<string>({ ask: 'last run' }),
    stop: () => child.kill(),
  };
}

const workflows = path.join(import.meta.dirname, '../../workflows-templates');
const rights: Record<string, 'read' | 'write'> = {
  ...{ contents: 'read', issues: 'write', pull_requests: 'write', checks: 'read', statuses: 'read' },
  ...{ actions: 'write', deployments: 'write' },
};

async function makeGitHub([config = '', comment = '']: readonly string[]) {
  const server = await FakeGitHubServer.start();
  const texts = await Promise.all(
    ['promote', 'rollback', 'train'].map(async (name) => [
      `.github/workflows/${name}.yml`,
      await readFile(path.join(workflows, `${name}.yml`), 'utf8'),
    ]),
  );
  const files = { ...Object.fromEntries(texts), 'modelgate.yaml': config };
  const repository = server.repository('octo/orders', { files });
  repository.collaborator('max', 'maintain');
  for (const name of ['staging', 'production']) repository.environment(name);
  const { number } = repository.openIssue('max', { title: 'Orders are late' });
  const { id, body, user } = repository.comment(number, 'max', comment);
  const said = { id, body, user: { login: user.login, type: user.type }, created_at: server.time() };
  return {
    server,
    repository,
    session: {
      url: server.url,
      token: server.actionsToken(repository, rights),
      event: JSON.stringify({ action: 'created', issue: { number }, comment: said }),
    } satisfies Session,
  };
}

if (import.meta.main) {
  const given = process.argv.slice(2);
  let made: Awaited<ReturnType<typeof makeGitHub>> | undefined;
  process.on('message', async ({ ask }: Message) => {
    if (ask === 'anew') {
      await made?.server[Symbol.asyncDispose]();
      made = await makeGitHub(given);
      process.send?.(made.session);
    } else {
      process.send?.(String(made?.repository.runs.at(-1)?.id ?? ''));
    }
  });
  process.on('disconnect', () => process.exit());
}
