import type { GitHub, Issue } from '../port.ts';
import { commentOf, type Identity, issueOf, Nothing } from './answers.ts';
import type { GitHubApi } from './client.ts';

const repo = '/repos/{owner}/{repo}';
/** The newest thousand: an issue that anybody looks for is among them. */
const issuePages = 10;

type ConversationPart = Pick<
  GitHub,
  | 'comments'
  | 'createComment'
  | 'updateComment'
  | 'react'
  | 'issue'
  | 'issues'
  | 'createIssue'
  | 'updateIssue'
>;

/** Issues, comments and reactions, of pull requests too. */
export function conversationPart(api: GitHubApi, identity: Identity): ConversationPart {
  const comment = commentOf(identity);
  const issue = issueOf(identity);
  const plain = ({ isPull, ...rest }: Issue & { isPull: boolean }): Issue => rest;

  return {
    comments: (number) =>
      api.list(comment, `${repo}/issues/{issue_number}/comments`, { issue_number: number, whole: true }),
    createComment: (number, body) =>
      api.change(comment, `POST ${repo}/issues/{issue_number}/comments`, { issue_number: number, body }),
    async updateComment(id, body) {
      await api.change(Nothing, `PATCH ${repo}/issues/comments/{comment_id}`, { comment_id: id, body });
    },
    async react(commentId, content) {
      const route = `POST ${repo}/issues/comments/{comment_id}/reactions`;
      await api.change(Nothing, route, { comment_id: commentId, content });
    },

    async issue(number) {
      const found = await api.find(issue, `${repo}/issues/{issue_number}`, { issue_number: number });
      return found === null ? null : plain(found);
    },
    async *issues({ labels, state }) {
      const asked = { labels: labels.join(','), state, sort: 'created', direction: 'desc' };
      for await (const one of api.list(issue, `${repo}/issues`, { ...asked, pages: issuePages })) {
        if (!one.isPull) yield plain(one);
      }
    },
    async createIssue({ title, body, labels }) {
      return plain(await api.change(issue, `POST ${repo}/issues`, { title, body, labels }));
    },
    async updateIssue(number, change) {
      const route = `PATCH ${repo}/issues/{issue_number}`;
      await api.change(Nothing, route, { issue_number: number, ...change });
    },
  };
}
