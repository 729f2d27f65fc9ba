import { z } from 'zod';
import type { IncomingComment } from '../src/chatops/context.ts';
import { UserError } from '../src/errors.ts';
import { parseJson } from '../src/json.ts';

/** Characters of the file that GITHUB_EVENT_PATH names. */
const eventLimit = 2_000_000;

const id = z.number().int().positive();
const Event = z.object({
  action: z.string(),
  issue: z.object({ number: id, pull_request: z.unknown().optional() }),
  comment: z.object({
    id,
    body: z.string().nullable(),
    user: z.object({ login: z.string().min(1).max(100), type: z.string().max(40) }).nullable(),
    created_at: z.iso.datetime({ offset: true }),
    performed_via_github_app: z.unknown().optional(),
  }),
});

/** The comment of an `issue_comment` event; null for one that was not just written by a person. Throws `usage`. */
export function commentOf({
  name,
  text,
}: {
  name: string | undefined;
  text: string;
}): IncomingComment | null {
  if (name !== 'issue_comment') throw unfit(`This is the event ${JSON.stringify(name ?? '')}.`);
  let parsed: z.infer<typeof Event>;
  try {
    parsed = Event.parse(parseJson(text, eventLimit));
  } catch (cause) {
    throw unfit('The event is not of the form that GitHub gives it.', cause);
  }
  const { action, issue, comment } = parsed;
  if (action !== 'created' || comment.user === null || comment.user.type !== 'User') return null;
  return {
    ...{ id: comment.id, body: comment.body ?? '', number: issue.number },
    ...{ author: comment.user.login, authorType: comment.user.type },
    viaApp: comment.performed_via_github_app != null,
    createdAt: comment.created_at,
    isPullRequest: issue.pull_request != null,
  };
}

function unfit(message: string, cause?: unknown): UserError {
  return new UserError({
    code: 'usage',
    message,
    where: 'GITHUB_EVENT_PATH',
    fix: 'Call this action from a workflow on `issue_comment: {types: [created]}`, as in workflows-templates/chatops.yml.',
    cause,
  });
}
