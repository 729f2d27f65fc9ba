import * as conversations from '../conversations.ts';
import * as render from '../render.ts';
import type { Comment, Issue } from '../state.ts';
import { type Call, type Handlers, page, repositoryOf } from './call.ts';

const issueOf = (call: Call): Issue => repositoryOf(call).issue(Number(call.parameters.issue_number));
const commentOf = (call: Call): Comment => repositoryOf(call).findComment(Number(call.parameters.comment_id));
const names = (labels: readonly (string | { name?: string })[] | undefined): string[] | undefined =>
  labels?.map((one) => (typeof one === 'string' ? one : (one.name ?? '')));

interface IssueBody {
  title?: string | number;
  body?: string | null;
  labels?: (string | { name?: string })[];
  state?: 'open' | 'closed';
  state_reason?: Issue['stateReason'];
}

export const issues: Handlers = {
  'issues/get': (call) => ({ status: 200, body: render.issue(issueOf(call)) }),
  'issues/list-for-repo': (call) => {
    const { state = 'open', labels = '', creator, since } = call.query;
    const wanted = String(labels).split(',').filter(Boolean);
    const { sort = 'created', direction = 'desc' } = call.query;
    const time = (one: Issue) => (sort === 'updated' ? one.updatedAt : one.createdAt);
    const found = [...repositoryOf(call).issues.values()]
      .filter((one) => state === 'all' || one.state === state)
      .filter((one) => wanted.every((label) => one.labels.includes(label)))
      .filter((one) => creator === undefined || one.user.login === creator)
      .filter((one) => since === undefined || one.updatedAt >= String(since))
      .sort((a, b) => (time(a) === time(b) ? a.number - b.number : time(a) < time(b) ? -1 : 1));
    return page(call, direction === 'desc' ? found.reverse() : found, render.issue);
  },
  'issues/create': (call) => {
    const { title = '', body, labels } = call.body as IssueBody;
    const made = conversations.open(repositoryOf(call), call.by, {
      title: String(title),
      body: body ?? '',
      labels: names(labels) ?? [],
    });
    return { status: 201, body: render.issue(made) };
  },
  'issues/update': (call) => {
    const { title, body, labels, state, state_reason: stateReason } = call.body as IssueBody;
    const wanted = names(labels);
    const changed = conversations.change(issueOf(call), call.by, {
      ...(title === undefined ? {} : { title: String(title) }),
      ...(body === undefined ? {} : { body: body ?? '' }),
      ...(state === undefined ? {} : { state }),
      ...(stateReason === undefined ? {} : { stateReason }),
      ...(wanted === undefined ? {} : { labels: wanted }),
    });
    return { status: 200, body: render.issue(changed) };
  },
  'issues/add-labels': (call) => {
    const issue = issueOf(call);
    const body = call.body as { labels?: (string | { name?: string })[] } | string[];
    const added = names(Array.isArray(body) ? body : body.labels) ?? [];
    conversations.change(issue, call.by, { labels: [...issue.labels, ...added] });
    return { status: 200, body: (render.issue(issue) as { labels: unknown[] }).labels };
  },
  'issues/list-comments': (call) => {
    const since = call.query.since;
    const found = issueOf(call).comments.filter(
      (one) => since === undefined || one.updatedAt >= String(since),
    );
    return page(call, found, render.comment);
  },
  'issues/get-comment': (call) => ({ status: 200, body: render.comment(commentOf(call)) }),
  'issues/create-comment': (call) => {
    const { body } = call.body as { body: string };
    return { status: 201, body: render.comment(conversations.comment(issueOf(call), call.by, body)) };
  },
  'issues/update-comment': (call) => {
    const { body } = call.body as { body: string };
    return { status: 200, body: render.comment(conversations.edit(commentOf(call), call.by, body)) };
  },
  'reactions/list-for-issue-comment': (call) => {
    const { content } = call.query;
    const found = commentOf(call).reactions.filter((one) => content === undefined || one.content === content);
    return page(call, found, render.reaction);
  },
  'reactions/create-for-issue-comment': (call) => {
    const { content } = call.body as { content: string };
    const comment = commentOf(call);
    const { id, isNew } = conversations.react(comment, call.by, content);
    return {
      status: isNew ? 201 : 200,
      body: render.reaction(comment.reactions.find((one) => one.id === id)!),
    };
  },
  'reactions/delete-for-issue-comment': (call) => {
    const comment = commentOf(call);
    comment.reactions = comment.reactions.filter((one) => one.id !== Number(call.parameters.reaction_id));
    return { status: 204 };
  },
};
