import { expect, it } from 'vitest';
import { giveUp } from '../../bot/give-up.ts';
import type { Job } from '../../bot/inbox.ts';
import type { BotLog } from '../../bot/log.ts';
import { replyKeyOf } from '../../src/chatops/reply-key.ts';
import { UserError } from '../../src/errors.ts';
import type { GitHub } from '../../src/github/port.ts';
import { model, ready } from '../chatops/world.ts';

const replyKey = replyKeyOf('a secret of thirty-two characters');
const log = { info() {}, warn() {}, debug() {}, write() {} } as BotLog;
const now = () => new Date('2026-03-01T12:00:00Z');
const broken = new UserError({
  code: 'config_invalid',
  message: 'modelgate.yaml cannot be read.',
  where: { file: 'modelgate.yaml' },
  fix: 'Mend it on main.',
});
const jobOf = (event: object) => ({ id: 7, event }) as Job;

it('[GAT-4] a run before an environment that cannot be judged is refused with the reason, not left waiting', async () => {
  const reviewed: unknown[] = [];
  const github = {
    reviewDeployment: async (review: unknown) => void reviewed.push(review),
  } as unknown as GitHub;
  const job = jobOf({ kind: 'protection', run: 19_283_746_556, environment: 'production' });
  await giveUp({ github, job, error: broken, replyKey, now, log });
  expect(reviewed).toEqual([
    {
      runId: 19_283_746_556,
      environment: 'production',
      state: 'rejected',
      comment: expect.stringMatching(/Refused[\s\S]*cannot be judged[\s\S]*Mend it on main/),
    },
  ]);
});

it('a command is answered with what to mend; a fault of ours tells its number alone', async () => {
  for (const [error, says] of [
    [broken, /modelgate\.yaml cannot be read\. .*Mend it on main/],
    [new TypeError('secret of the inside'), /in the log as job 7/],
  ] as const) {
    const world = await ready();
    const { id } = world.github.write(7, 'max', `/promote ${model} to staging`);
    const comment = { id, body: '/promote', author: 'max', authorType: 'User', viaApp: false };
    const place = { createdAt: now().toISOString(), number: 7, isPullRequest: true };
    const job = jobOf({ kind: 'comment', comment: { ...comment, ...place } });
    await giveUp({ github: world.github, job, error, replyKey, now, log });
    const [reply] = world.github.threads.filter(({ ours }) => ours);
    expect(reply?.body).toMatch(says);
    expect(reply?.body).not.toContain('secret of the inside');
    expect(reply?.body).toContain('"mac"');
  }
});
