import { describe, expect, it } from 'vitest';
import { findReply } from '../../src/chatops/replies.ts';
import { octokitGitHub } from '../../src/github/octokit.ts';

const comment = {
  ...{ id: 1, body: 'x', user: { login: 'ana', type: 'User' } },
  ...{ created_at: '2026-03-01T12:00:00Z', html_url: 'https://github.test/1' },
};
const review = { user: { login: 'ana' }, state: 'APPROVED', commit_id: 'a'.repeat(40) };

/** GitHub with so many comments and reviews in one thread. */
function withThread(length: number) {
  const pages: number[] = [];
  const client = {
    async request(route: string, { page, per_page: size }: Record<string, unknown> = {}) {
      const one = route.endsWith('/reviews') ? review : comment;
      const left = Math.max(0, length - (Number(page) - 1) * Number(size));
      pages.push(Number(page));
      return { status: 200, data: new Array(Math.min(left, Number(size))).fill(one) };
    },
  };
  const repository = { owner: 'acme', repo: 'flights' };
  return { github: octokitGitHub({ client, repository, appSlug: 'modelgate' }), pages };
}

describe('a thread that is longer than can be read', () => {
  it.each([0, 99, 100, 2_999, 3_000])('is read whole while it can be: %i', async (length) => {
    const { github, pages } = withThread(length);
    let seen = 0;
    for await (const _ of github.comments(7)) seen += 1;
    expect(seen).toBe(length);
    expect(pages.length).toBeLessThanOrEqual(31);
    expect(await github.reviews(7)).toHaveLength(length === 0 ? 0 : 1);
  });

  it('is never taken for one without our reply, which would start a command again, or without an objection', async () => {
    const { github } = withThread(3_001);
    const asked = findReply({ github }, { number: 7, commentId: 1 });
    await expect(asked).rejects.toMatchObject({ code: 'github_too_large' });
    await expect(github.reviews(7)).rejects.toMatchObject({ code: 'github_too_large' });
  });
});
