import type { TokenSetup } from '../github/repository-setup.ts';
import { ok, type SetupCheck, warn } from './check.ts';
import { inWords } from './workflow-calls.ts';

const kinds: Readonly<Record<TokenSetup['kind'], string>> = {
  classic: 'a classic token',
  oauth: 'a token of an OAuth app (as `gh auth token` prints it)',
  fine_grained: 'a fine-grained token',
  app_user: 'a token of a person for an app',
  job: 'the token of a job or an app',
  unknown: 'a token of a kind that is not known here',
};

/** What the token is, and which of the other checks could not be made with it: each of them says what it takes. */
export function tokenCheck(
  of: Pick<SetupCheck, 'check' | 'level' | 'needed'>,
  { kind, scopes }: TokenSetup,
  others: readonly SetupCheck[],
): SetupCheck {
  const named = scopes === null ? '' : ` with ${scopesInWords(scopes)}`;
  const lacking = others.filter(({ looked }) => !looked).map(({ check }) => check);
  const detail = `GitHub was asked with ${kinds[kind]}${named}.`;
  if (lacking.length === 0) return ok(of, detail);
  return warn(
    of,
    `${detail} Not known with it: ${inWords(lacking)}.`,
    kind === 'job'
      ? 'A job has no right to see how a repository is administered: run it on your machine, GITHUB_TOKEN=$(gh auth token) modelgate doctor, as somebody who administers the repository.'
      : 'Each of them says what it takes. Reading is enough for all.',
  );
}

function scopesInWords(scopes: readonly string[]): string {
  if (scopes.length === 0) return 'no scope';
  return `the ${scopes.length === 1 ? 'scope' : 'scopes'} ${inWords(scopes)}`;
}
