import { HttpError, invalid } from './errors.ts';
import type { Author } from './github.ts';
import * as render from './render.ts';
import type { FakeRepository } from './repository.ts';
import type { Comment, Issue, Pull } from './state.ts';

/** Issues and comments, of pull requests too. */

export interface IssueChange {
  title?: string;
  body?: string;
  state?: 'open' | 'closed';
  stateReason?: Issue['stateReason'];
  labels?: readonly string[];
}

const longest = 65_536;

function checkBody(body: string): void {
  if ([...body].length > longest) {
    throw invalid('Validation Failed', [
      {
        resource: 'IssueComment',
        code: 'unprocessable',
        field: 'data',
        message: `Body is too long (maximum is ${longest} characters)`,
      },
    ]);
  }
}

export function open(
  repository: FakeRepository,
  by: Author,
  {
    title,
    body,
    labels,
    pull = null,
  }: { title: string; body: string; labels: readonly string[]; pull?: Pull | null },
): Issue {
  checkBody(body);
  const { github } = repository;
  const made: Issue = {
    id: github.id(),
    number: repository.nextNumber(),
    repository,
    title,
    body,
    user: by.user,
    app: by.app,
    state: 'open',
    stateReason: null,
    closedBy: null,
    closedAt: null,
    labels: [...new Set(labels)],
    locked: false,
    comments: [],
    createdAt: github.time(),
    updatedAt: github.time(),
    pull,
  };
  repository.issues.set(made.number, made);
  if (pull === null) {
    github.emit(repository, 'issues', 'opened', by.user, { issue: render.issue(made) });
  }
  return made;
}

export function change(issue: Issue, by: Author, wanted: IssueChange): Issue {
  const { repository } = issue;
  const { github } = repository;
  if (wanted.body !== undefined) checkBody(wanted.body);
  const changes = {
    ...(wanted.title !== undefined && wanted.title !== issue.title ? { title: { from: issue.title } } : {}),
    ...(wanted.body !== undefined && wanted.body !== issue.body ? { body: { from: issue.body } } : {}),
  };
  issue.title = wanted.title ?? issue.title;
  issue.body = wanted.body ?? issue.body;
  if (wanted.labels !== undefined) issue.labels = [...new Set(wanted.labels)];
  issue.updatedAt = github.time();
  if (Object.keys(changes).length > 0) emit('edited', { changes });
  if (wanted.state !== undefined && wanted.state !== issue.state) {
    const closed = wanted.state === 'closed';
    issue.state = wanted.state;
    issue.stateReason = closed ? (wanted.stateReason ?? 'completed') : 'reopened';
    issue.closedBy = closed ? by.user : null;
    issue.closedAt = closed ? github.time() : null;
    emit(closed ? 'closed' : 'reopened', {});
  }
  return issue;

  function emit(action: string, extra: Record<string, unknown>): void {
    const subject = render.subject(issue);
    github.emit(repository, subject.event, action, by.user, { ...subject.payload, ...extra });
  }
}

export function comment(issue: Issue, by: Author, body: string): Comment {
  checkBody(body);
  if (body.trim() === '') throw invalid('Validation Failed', [{ code: 'missing_field', field: 'body' }]);
  const { repository } = issue;
  const { github } = repository;
  if (issue.locked && (repository.roleOf(by.user.login)?.role ?? 'read') === 'read' && by.app === null) {
    throw new HttpError(403, 'Unable to create comment because issue is locked.');
  }
  const made: Comment = {
    id: github.id(),
    issue,
    body,
    user: by.user,
    app: by.app,
    createdAt: github.time(),
    updatedAt: github.time(),
    reactions: [],
  };
  issue.comments.push(made);
  issue.updatedAt = github.time();
  emitComment(made, 'created', by, {});
  return made;
}

export function edit(found: Comment, by: Author, body: string): Comment {
  checkBody(body);
  const before = found.body;
  found.body = body;
  found.updatedAt = found.issue.repository.github.time();
  emitComment(found, 'edited', by, { changes: { body: { from: before } } });
  return found;
}

export function remove(found: Comment, by: Author): void {
  found.issue.comments.splice(found.issue.comments.indexOf(found), 1);
  emitComment(found, 'deleted', by, {});
}

function emitComment(found: Comment, action: string, by: Author, extra: Record<string, unknown>): void {
  const { repository } = found.issue;
  repository.github.emit(repository, 'issue_comment', action, by.user, {
    issue: render.issue(found.issue),
    comment: render.comment(found),
    ...extra,
  });
}

/** The same word of the same account twice is one reaction. */
export function react(found: Comment, by: Author, content: string): { id: number; isNew: boolean } {
  const there = found.reactions.find((one) => one.user === by.user && one.content === content);
  if (there !== undefined) return { id: there.id, isNew: false };
  const { github } = found.issue.repository;
  const made = { id: github.id(), user: by.user, content, createdAt: github.time() };
  found.reactions.push(made);
  return { id: made.id, isNew: true };
}
