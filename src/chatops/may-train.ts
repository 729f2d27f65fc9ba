import type { Role } from '../github/port.ts';
import { atLeast } from './permission.ts';
import type { ChatopsPolicy } from './policy.ts';

/** Why something would be trained. */
export type TrainingEvent = 'pull_request' | 'command' | 'push' | 'schedule' | 'alert';

export interface TrainingRequest {
  event: TrainingEvent;
  /** Whether the commit comes from another repository. */
  fork: boolean;
  /** Of the person who gives the command; other events have none. */
  role: Role;
  /** The commit that a person named in `/ok-to-train`, and that person's role now; null: nobody did. */
  ok: { sha: string; role: Role } | null;
  headSha: string;
  policy: Pick<ChatopsPolicy, 'train' | 'allow_fork_training'>;
}

export type TrainingRunner =
  /** On the team's own machines, with their accelerators. */
  | { runner: 'gpu' }
  /** On a sample, on a machine of GitHub's that is thrown away, without a secret. */
  | { runner: 'hosted' }
  | { runner: null; reason: 'fork_refused' | 'not_permitted'; message: string };

const commit = /^[0-9a-f]{40}$/;

/**
 * Where a commit may be trained. A fork's commit reaches a GPU runner only where the policy allows it at all and a
 * person who may train has named exactly this commit. Roles are looked at here; people and teams by `authorise`.
 */
export function mayTrain({ event, fork, role, ok, headSha, policy }: TrainingRequest): TrainingRunner {
  if (event === 'pull_request') return { runner: 'hosted' };
  if (fork && !policy.allow_fork_training)
    return { runner: null, reason: 'fork_refused', message: 'Commits of forks are never trained here.' };
  if (event === 'command' && !atLeast(role, policy.train.role)) {
    return {
      runner: null,
      reason: 'not_permitted',
      message: `To train needs the role ${policy.train.role}.`,
    };
  }
  if (!fork) return { runner: 'gpu' };
  const named = ok !== null && commit.test(headSha) && ok.sha === headSha;
  if (named && atLeast(ok.role, policy.train.role)) return { runner: 'gpu' };
  return {
    runner: null,
    reason: 'fork_refused',
    message:
      'A person who may train has not yet said `/ok-to-train` with the whole head commit of this fork.',
  };
}
