import { expect, it } from 'vitest';
import { appClients } from '../../bot/github.ts';
import { redactor } from '../../bot/log.ts';
import type { OctokitClient } from '../../src/github/octokit.ts';

const secret = 'canary-webhook-secret+/=&';

it('[GOV-2] writes no secret to GitHub, and leaves the rest of a request as it is', async () => {
  const sent: unknown[] = [];
  const request = async (route: string, parameters?: object) => {
    sent.push({ route, ...parameters });
    return { data: { slug: 'modelgate' }, status: 200, headers: {} };
  };
  const octokit = { request: Object.assign(request, { endpoint: {} }) } as unknown as OctokitClient;
  const clients = appClients({ auth: async () => octokit } as never, {
    onError: () => {},
    redact: redactor([secret]),
  });
  const client = await clients.installation(1);
  await client.request('POST /repos/{owner}/{repo}/check-runs', {
    head_sha: 'a'.repeat(40),
    output: {
      title: `t ${secret}`,
      annotations: [{ message: JSON.stringify({ failed: secret }), start_line: 1 }],
    },
  });
  await client.request('POST /repos/{owner}/{repo}/issues/{issue_number}/comments', {
    issue_number: 7,
    body: `before ${secret} and ghs_${'a1'.repeat(18)} after`,
  });
  expect(sent).toEqual([
    {
      route: 'POST /repos/{owner}/{repo}/check-runs',
      head_sha: 'a'.repeat(40),
      output: {
        title: 't [redacted]',
        annotations: [{ message: '{"failed":"[redacted]"}', start_line: 1 }],
      },
    },
    {
      route: 'POST /repos/{owner}/{repo}/issues/{issue_number}/comments',
      issue_number: 7,
      body: 'before [redacted] and [redacted] after',
    },
  ]);
});
