import { z } from 'zod';
import type { CommandName } from '../src/chatops/command.ts';
import { parseComment } from '../src/chatops/grammar.ts';
import { opIdOf, opIdOfRun } from '../src/chatops/operations.ts';
import { sha256 } from '../src/json.ts';
import type { NewJob } from './inbox.ts';

/** Longer comments than GitHub takes are cut: a command stands in the first line. */
const longestComment = 66_000;

const id = z.number().int().positive();
const login = z.string().min(1).max(100);
const sha = z.string().regex(/^[0-9a-f]{40,64}$/);
const repositoryName = z.string().regex(/^(?!\.{1,2}$)[A-Za-z0-9_.-]{1,100}$/);
const environment = z.string().min(1).max(255);

/** Where an event happened. */
const place = { installation: id, owner: repositoryName, repo: repositoryName };

/** An event as far as it is read, in the form in which the inbox keeps it. What GitHub says now counts, not what it said then. */
export const BotEvent = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('comment'),
    ...place,
    comment: z.object({
      id,
      body: z.string().max(longestComment),
      author: login,
      authorType: z.string().max(40),
      viaApp: z.boolean(),
      createdAt: z.iso.datetime({ offset: true }),
      number: id,
      isPullRequest: z.boolean(),
    }),
  }),
  z.object({ kind: z.literal('run'), ...place, run: id, opId: z.string().nullable() }),
  z.object({ kind: z.literal('pull'), ...place, number: id }),
  z.object({ kind: z.literal('merge_group'), ...place, headSha: sha, baseSha: sha }),
  z.object({ kind: z.literal('protection'), ...place, run: id, environment }),
  /** Looks whether what a command started has ended. */
  z.object({ kind: z.literal('finish'), ...place, number: id, comment: id, opId: z.string() }),
  /** Looks after the schedules of a repository. */
  z.object({ kind: z.literal('watch'), ...place }),
]);
export type BotEvent = z.infer<typeof BotEvent>;

const Place = z.object({
  installation: z.object({ id }),
  repository: z.object({ name: repositoryName, owner: z.object({ login: repositoryName }) }),
  sender: z.object({ login }),
});
const Comment = z.object({
  action: z.string(),
  issue: z.object({ number: id, pull_request: z.unknown().optional() }),
  comment: z.object({
    id,
    body: z.string().nullable(),
    user: z.object({ login, type: z.string().max(40).optional() }).nullable(),
    created_at: z.iso.datetime({ offset: true }),
    performed_via_github_app: z.unknown().optional(),
  }),
});
const Run = z.object({
  action: z.string(),
  workflow_run: z.object({ id, run_attempt: z.number().int().default(1), display_title: z.string() }),
});
const Pull = z.object({
  action: z.string(),
  pull_request: z.object({ number: id, head: z.object({ sha }), updated_at: z.string().max(40) }),
});
const MergeGroup = z.object({ action: z.string(), merge_group: z.object({ head_sha: sha, base_sha: sha }) });
const Protection = z.object({
  action: z.string(),
  environment,
  deployment_callback_url: z.string().max(1000),
  deployment: z.object({ id }).nullish(),
});

type Where = Pick<BotEvent, 'installation' | 'owner' | 'repo'>;
type Made = Omit<NewJob, 'guid'>;

/** Commands that change or ask for what runs somewhere: one after another in a repository. */
const moving: Partial<Record<CommandName, true>> = {
  ...{ promote: true, rollback: true, approve: true, cancel: true },
  ...{ lock: true, unlock: true, hold: true, release: true },
};

type Reader = (payload: unknown, where: Where, about: { sender: string; guid: string }) => Made | null;
const readers: Record<string, Reader> = {
  issue_comment: commentJob,
  workflow_run: runJob,
  pull_request: pullJob,
  merge_group: mergeGroupJob,
  deployment_protection_rule: protectionJob,
};

/** Those that the app must subscribe to. */
export const eventNames: readonly string[] = Object.keys(readers);

/**
 * The job that a delivery makes; null for what is nobody's business here. Throws for a payload that is not of the form
 * that GitHub promises.
 */
export function jobOf(delivery: { guid: string; event: string; payload: unknown }): NewJob | null {
  const read = readers[delivery.event];
  if (read === undefined) return null;
  const { installation, repository, sender } = Place.parse(delivery.payload);
  const where = { installation: installation.id, owner: repository.owner.login, repo: repository.name };
  const made = read(delivery.payload, where, { sender: sender.login, guid: delivery.guid });
  return made === null ? null : { guid: delivery.guid, ...made };
}

/** `owner/repo` in small letters: GitHub does not tell them apart. */
export const repositoryOf = ({ owner, repo }: Pick<Where, 'owner' | 'repo'>): string =>
  `${owner}/${repo}`.toLowerCase();

/** New comments by people that hold a command, or what was meant as one. */
function commentJob(payload: unknown, where: Where, { sender }: { sender: string }): Made | null {
  const { action, issue, comment } = Comment.parse(payload);
  const { user } = comment;
  if (action !== 'created' || user === null || user.type !== 'User' || user.login !== sender) return null;
  const body = (comment.body ?? '').slice(0, longestComment);
  const parsed = parseComment(body);
  if (parsed.kind === 'none') return null;
  const name = parsed.kind === 'command' ? parsed.command.name : null;
  const at = repositoryOf(where);
  return {
    key: `comment:${at}:${comment.id}`,
    lane: name !== null && moving[name] ? `${at} moves` : `${at}#${issue.number}`,
    priority: name === 'rollback' ? 0 : 1,
    opId: opIdOf(where, comment, parsed.kind === 'command' ? parsed.line : ''),
    event: {
      kind: 'comment',
      ...where,
      comment: {
        ...{ id: comment.id, body, author: user.login, authorType: user.type, number: issue.number },
        viaApp: comment.performed_via_github_app != null,
        createdAt: comment.created_at,
        isPullRequest: issue.pull_request !== undefined,
      },
    },
  };
}

/** The lane is that of the command that started it, where the inbox knows it. */
function runJob(payload: unknown, where: Where): Made | null {
  const { action, workflow_run: run } = Run.parse(payload);
  if (action !== 'completed') return null;
  const opId = opIdOfRun({ title: run.display_title });
  const at = repositoryOf(where);
  return {
    key: `run:${at}:${run.id}:${run.run_attempt}`,
    lane: `${at} run ${run.id}`,
    priority: 2,
    opId: null,
    event: { kind: 'run', ...where, run: run.id, opId },
  };
}

function pullJob(payload: unknown, where: Where): Made | null {
  const { action, pull_request: pull } = Pull.parse(payload);
  if (!['synchronize', 'opened', 'reopened', 'closed', 'edited'].includes(action)) return null;
  const at = repositoryOf(where);
  return {
    key: `pull:${at}:${pull.number}:${action}:${pull.head.sha}:${pull.updated_at}`,
    lane: `${at}#${pull.number}`,
    priority: 2,
    opId: null,
    event: { kind: 'pull', ...where, number: pull.number },
  };
}

function mergeGroupJob(payload: unknown, where: Where): Made | null {
  const { action, merge_group: group } = MergeGroup.parse(payload);
  if (action !== 'checks_requested') return null;
  const at = repositoryOf(where);
  return {
    key: `merge_group:${at}:${group.head_sha}`,
    lane: `${at} merge ${group.head_sha}`,
    priority: 2,
    opId: null,
    event: { kind: 'merge_group', ...where, headSha: group.head_sha, baseSha: group.base_sha },
  };
}

/** The address to answer at says which run it is; only the number is taken from it. */
function protectionJob(payload: unknown, where: Where, { guid }: { guid: string }): Made | null {
  const asked = Protection.parse(payload);
  if (asked.action !== 'requested') return null;
  const run = Number(
    /\/actions\/runs\/(\d{1,15})\/deployment_protection_rule$/.exec(asked.deployment_callback_url)?.[1],
  );
  const at = repositoryOf(where);
  return {
    key: `protection:${at}:${run}:${asked.deployment?.id ?? guid}:${sha256(asked.environment)}`,
    lane: `${at} run ${run}`,
    priority: 0,
    opId: null,
    event: { kind: 'protection', ...where, run: id.parse(run), environment: asked.environment },
  };
}
