import { request } from 'node:http';
import { expect, it } from 'vitest';
import { botMetrics } from '../../bot/metrics.ts';
import { startServer } from '../../bot/server.ts';

const headers = {
  'x-github-delivery': 'd-1',
  'x-github-event': 'issue_comment',
  'x-hub-signature-256': `sha256=${'0'.repeat(64)}`,
  'content-type': 'application/json',
};

/** Says how much will come, sends a little, and gives what it is answered. */
function begin(port: number, length: number) {
  const sent = request({
    port,
    method: 'POST',
    path: '/api/github/webhooks',
    headers: { ...headers, 'content-length': length },
  });
  sent.on('error', () => {});
  sent.write('{');
  const status = new Promise<number | undefined>((resolve) => {
    sent.once('response', (answer) => resolve(answer.statusCode));
  });
  return { status, end: () => sent.destroy() };
}

it('receives no more than two of the largest bodies at a time from whoever has not signed', async () => {
  const server = await startServer({
    ...{ host: '127.0.0.1', port: 0, metrics: botMetrics(), unready: () => null },
    probot: { webhooks: { verify: async () => false }, receive: async () => {} } as never,
  });
  try {
    const largest = 25 * 1024 * 1024;
    const first = [begin(server.port, largest), begin(server.port, largest)];
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(await begin(server.port, 1000).status).toBe(503);
    expect(await begin(server.port, largest + 1).status).toBe(413);
    for (const one of first) one.end();
    await new Promise((resolve) => setTimeout(resolve, 200));
    const small = begin(server.port, 1);
    expect(await small.status).toBe(401);
  } finally {
    await server.close();
  }
});
