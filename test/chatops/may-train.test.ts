import { describe, expect, it } from 'vitest';
import { mayTrain, type TrainingEvent, type TrainingRequest } from '../../src/chatops/may-train.ts';
import { ChatopsPolicy } from '../../src/chatops/policy.ts';
import type { Role } from '../../src/github/port.ts';

const roles: Role[] = ['none', 'read', 'triage', 'write', 'maintain', 'admin'];
const events: TrainingEvent[] = ['pull_request', 'command', 'push', 'schedule', 'alert'];
const headSha = 'a'.repeat(40);
const words: TrainingRequest['ok'][] = [
  null,
  { sha: 'b'.repeat(40), role: 'admin' },
  { sha: headSha.slice(0, 12), role: 'admin' },
  ...roles.map((role) => ({ sha: headSha, role })),
];
const policies = [false, true].flatMap((allow_fork_training) =>
  (['write', 'maintain'] as const).map((role) =>
    ChatopsPolicy.parse({ allow_fork_training, train: { role } }),
  ),
);

const table = events.flatMap((event) =>
  [false, true].flatMap((fork) =>
    roles.flatMap((role) =>
      words.flatMap((ok) =>
        policies.map((policy): TrainingRequest => ({ event, fork, role, ok, headSha, policy })),
      ),
    ),
  ),
);

describe('[GOV-4] code of a fork and the GPU runner', () => {
  it('meet in no combination without both: the policy, and the word of a person who may train on this commit', () => {
    expect(table.length).toBeGreaterThan(600);
    const forks = table.filter(({ fork }) => fork);
    const onGpu = forks.filter((request) => mayTrain(request).runner === 'gpu');
    expect(onGpu.length).toBeGreaterThan(0);
    const without = onGpu.filter(({ policy, ok }) => {
      const may = ok !== null && roles.indexOf(ok.role) >= roles.indexOf(policy.train.role);
      return !policy.allow_fork_training || !may || ok.sha !== headSha;
    });
    expect(without).toEqual([]);
    // and nothing of a pull request's own event gets there, with the word or without
    expect(onGpu.filter(({ event }) => event === 'pull_request')).toEqual([]);
  });

  it('every combination has the answer of the table', () => {
    for (const request of table) {
      const { event, fork, role, ok, policy } = request;
      const may = (one: Role) => roles.indexOf(one) >= roles.indexOf(policy.train.role);
      const answer = mayTrain(request);
      const is = answer.runner ?? answer.reason;
      if (event === 'pull_request') expect(is).toBe('hosted');
      else if (fork && !policy.allow_fork_training) expect(is).toBe('fork_refused');
      else if (event === 'command' && !may(role)) expect(is).toBe('not_permitted');
      else if (!fork) expect(is).toBe('gpu');
      else expect(is).toBe(ok?.sha === headSha && may(ok.role) ? 'gpu' : 'fork_refused');
    }
  });

  it('a commit that is none fits no word', () => {
    const policy = ChatopsPolicy.parse({ allow_fork_training: true });
    for (const sha of ['', 'a'.repeat(12), 'A'.repeat(40)]) {
      const request = { event: 'command', fork: true, role: 'admin', policy, headSha: sha } as const;
      expect(mayTrain({ ...request, ok: { sha, role: 'admin' } }).runner).toBe(null);
    }
  });
});
