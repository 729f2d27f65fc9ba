import type { Unseen } from '../github/repository-setup.ts';
import { notLooked, type SetupCheck } from './check.ts';

/** The rights that a check's requests take: of a fine-grained token, and of a classic one. */
const usual = {
  actions: 'Actions: read (classic: repo)',
  administration: 'Administration: read (classic: repo), of somebody who administers the repository',
  checks: 'Checks: read (classic: repo)',
  contents: 'Contents: read (classic: repo)',
  issues: 'Issues: read (classic: repo)',
  organization: 'the organisation\'s "Self-hosted runners": read (classic: admin:org)',
  variables: 'Variables: read (classic: repo), of somebody who may write to the repository',
} as const;
export type Right = keyof typeof usual;

/** A check that the token could not make: what GitHub says that it takes, or else what is usual. */
export function unseen(
  of: Pick<SetupCheck, 'check' | 'level' | 'needed'>,
  what: string,
  { needs }: Unseen,
  right: Right,
): SetupCheck {
  return notLooked(of, `the token may not see ${what}`, rightFix({ needs }, right));
}

export function rightFix({ needs }: Pick<Unseen, 'needs'>, right: Right): string {
  return needs === null
    ? `Give a token with ${usual[right]}.`
    : `Give a token with what GitHub asks for: ${needs}.`;
}
