import { createHmac } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Webhook } from './deliveries.ts';
import type { FakeRepository } from './repository.ts';
import { FakeGitHubServer } from './server.ts';

const train = `
run-name: train \${{ inputs.op_id }}
on:
  workflow_dispatch:
    inputs:
      op_id: {required: true}
`;

let github: FakeGitHubServer;
let repository: FakeRepository;
let webhooks: Webhook[];
beforeEach(async () => {
  webhooks = [];
  github = await FakeGitHubServer.start({
    deliverTo: (webhook) => {
      webhooks.push(webhook);
      return 200;
    },
  });
  repository = github.repository('acme/flights', { files: { '.github/workflows/train.yml': train } });
  repository.collaborator('ana', 'maintain');
});
afterEach(async () => {
  await github.idle();
  await github[Symbol.asyncDispose]();
  expect(github.violations).toEqual([]);
});

async function call(method: string, path: string, body?: unknown, token = github.installationToken('acme')) {
  const response = await fetch(`${github.url}/repos/acme/flights${path}`, {
    method,
    headers: { authorization: `Bearer ${token}` },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: text === '' ? null : JSON.parse(text) };
}

const events = () =>
  webhooks.map(({ headers, body }) => [headers['x-github-event'], JSON.parse(body).action]);

describe('the fake GitHub', () => {
  it('sends signed webhooks of everything that people do, as GitHub describes them', async () => {
    const issue = repository.openIssue('ana', { title: 'Drift', labels: ['drift'] });
    repository.comment(issue.number, 'ana', '/drift ack');
    repository.changeIssue(issue.number, 'ana', { state: 'closed' });
    repository.changeIssue(issue.number, 'ana', { state: 'open', body: 'Again' });
    const pull = repository.openPullRequest('ana', { branch: 'better', files: { 'a.txt': 'a' } });
    const comment = repository.comment(pull.number, 'ana', '/promote to staging');
    repository.editComment(comment.id, 'ana', 'never mind');
    repository.deleteComment(comment.id, 'ana');
    repository.push('better', { 'a.txt': 'b' });
    const review = repository.review(pull.number, 'ben', 'APPROVED');
    repository.dismiss(pull.number, review.id, 'ana');
    repository.enqueue(pull.number, 'ana');
    const run = repository.startRun({ workflow: 'pull-request.yml', event: 'pull_request', by: 'ana', pull });
    run.start();
    run.complete('success', { result: { 'result.json': '{}' } });
    repository.merge(pull.number, 'ana');
    await github.idle();
    expect(events()).toEqual([
      ['issues', 'opened'],
      ['issue_comment', 'created'],
      ['issues', 'closed'],
      ['issues', 'edited'],
      ['issues', 'reopened'],
      ['push', undefined],
      ['pull_request', 'opened'],
      ['issue_comment', 'created'],
      ['issue_comment', 'edited'],
      ['issue_comment', 'deleted'],
      ['push', undefined],
      ['pull_request', 'synchronize'],
      ['pull_request_review', 'submitted'],
      ['pull_request_review', 'dismissed'],
      ['merge_group', 'checks_requested'],
      ['workflow_run', 'requested'],
      ['workflow_run', 'in_progress'],
      ['workflow_run', 'completed'],
      ['pull_request', 'closed'],
      ['push', undefined],
    ]);
    for (const { headers, body } of webhooks) {
      const digest = createHmac('sha256', github.deliveries.secret).update(body).digest('hex');
      expect(headers['x-hub-signature-256']).toBe(`sha256=${digest}`);
    }
  });

  it('counts a reaction once, and tells the first from the second', async () => {
    const { number } = repository.openIssue('ana', { title: 'Drift' });
    const { id } = repository.comment(number, 'ana', 'hello');
    const path = `/issues/comments/${id}/reactions`;
    expect((await call('POST', path, { content: 'eyes' })).status).toBe(201);
    expect((await call('POST', path, { content: 'eyes' })).status).toBe(200);
    const { body } = await call('GET', `/issues/comments/${id}`);
    expect(body.reactions).toMatchObject({ total_count: 1, eyes: 1 });
  });

  it('refuses what the token may not do, and unknown tokens', async () => {
    const { number } = repository.openIssue('ana', { title: 'Drift' });
    const reader = github.installationToken('acme', { metadata: 'read', issues: 'read' });
    expect((await call('GET', `/issues/${number}`, undefined, reader)).status).toBe(200);
    expect((await call('POST', `/issues/${number}/comments`, { body: 'x' }, reader)).status).toBe(403);
    expect((await call('GET', `/issues/${number}`, undefined, 'ghs_nobody')).status).toBe(401);
  });

  it('dispatches by what the workflow file says: inputs, run-name, unknown inputs refused', async () => {
    const path = '/actions/workflows/train.yml/dispatches';
    const wrong = await call('POST', path, { ref: 'main', inputs: { op: 'x' } });
    expect(wrong).toMatchObject({ status: 422, body: { message: 'Unexpected inputs provided: ["op"]' } });
    expect((await call('POST', path, { ref: 'main' })).status).toBe(422);
    expect((await call('POST', '/actions/workflows/none.yml/dispatches', { ref: 'main' })).status).toBe(404);
    const inputs = { op_id: 'ab12' };
    const made = await call('POST', path, { ref: 'main', inputs, return_run_details: true });
    expect(made.status).toBe(200);
    const run = await call('GET', `/actions/runs/${made.body.workflow_run_id}`);
    expect(run.body).toMatchObject({ display_title: 'train ab12', status: 'queued' });
    expect((await call('POST', path, { ref: 'main', inputs })).status).toBe(204);
  });

  it('waits at an environment until the app answers its protection rule, once', async () => {
    repository.environment('production', { protectedBy: [github.app] });
    const run = repository.startRun({ workflow: 'promote.yml', event: 'workflow_dispatch', by: 'ana' });
    const entered = run.enter('production');
    expect((await call('GET', `/actions/runs/${run.id}`)).body.status).toBe('waiting');
    const answer = { environment_name: 'production', state: 'approved', comment: 'ok' };
    const path = `/actions/runs/${run.id}/deployment_protection_rule`;
    expect((await call('POST', path, answer)).status).toBe(204);
    expect(await entered).toBe('approved');
    expect((await call('POST', path, answer)).status).toBe(422);
    await github.idle();
    expect(events()).toContainEqual(['deployment_protection_rule', 'requested']);
  });

  it('loses answers after the effect, refuses before it, and drops the connection', async () => {
    const { number } = repository.openIssue('ana', { title: 'Drift' });
    const path = `/issues/${number}/comments`;
    github.faults.next('issues/create-comment', { kind: 'lose-answer', status: 502 });
    github.faults.next('issues/create-comment', { kind: 'refuse', status: 503 });
    github.faults.next('issues/create-comment', { kind: 'lose-answer', status: 'reset' });
    github.faults.next('issues/create-comment', { kind: 'secondary-limit', status: 403, retryAfter: 7 });
    expect((await call('POST', path, { body: 'one' })).status).toBe(502);
    expect((await call('POST', path, { body: 'two' })).status).toBe(503);
    await expect(call('POST', path, { body: 'three' })).rejects.toThrow();
    const limited = await call('POST', path, { body: 'four' });
    expect([limited.status, limited.headers.get('retry-after')]).toEqual([403, '7']);
    expect(repository.issue(number).comments.map(({ body }) => body)).toEqual(['one', 'three']);
    expect(github.count('issues/create-comment')).toBe(2);
  });

  it('holds deliveries back, turns them around, repeats and loses them, and sends lost ones again', async () => {
    github.deliveries.hold();
    const issue = repository.openIssue('ana', { title: 'One' });
    repository.comment(issue.number, 'ana', 'two');
    repository.comment(issue.number, 'ana', 'three');
    github.deliveries.release(([opened, two]) => [two!, opened!, two!]);
    await github.idle();
    expect(webhooks.map(({ headers }) => headers['x-github-event'])).toEqual([
      'issue_comment',
      'issues',
      'issue_comment',
    ]);
    const lost = github.deliveries.list.at(-1)!;
    expect(lost.statusCode).toBe(502);
    github.deliveries.redeliver(lost.id);
    await github.idle();
    expect(webhooks.at(-1)!.headers['x-github-delivery']).toBe(lost.guid);
    expect(github.deliveries.list.at(-1)).toMatchObject({
      redelivery: true,
      statusCode: 200,
      guid: lost.guid,
    });
  });

  it('notices a request that GitHub would not understand', async () => {
    const { number } = repository.openIssue('ana', { title: 'Drift' });
    expect((await call('POST', `/issues/${number}/comments`, { body: 'x', colour: 'red' })).status).toBe(422);
    expect(github.violations.splice(0)).toEqual(['issues/create-comment: body has the unknown field colour']);
  });
});
