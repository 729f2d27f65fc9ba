import { UserError } from '../../errors.ts';
import { Unseen } from '../repository-setup.ts';
import { refusalDetail } from './client.ts';

/** Unseen where the token may not see it, or GitHub hides it from the token. */
export async function unlessDenied<T>(read: () => Promise<T>): Promise<T | Unseen> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof UserError && ['github_denied', 'github_missing'].includes(error.code))
      return new Unseen(needsOf(refusalDetail(error)?.headers ?? {}));
    throw error;
  }
}

/** What GitHub says that it takes, in its own words; null where the token has that, and its owner may not. */
function needsOf(headers: Readonly<Record<string, unknown>>): string | null {
  const of = (name: string) => String(headers[name] ?? '');
  if (/^required\b/.test(of('x-github-sso'))) return 'the single sign-on of the organisation';
  const permissions = of('x-accepted-github-permissions');
  if (/^[a-z_]+=[a-z]+([,;] ?[a-z_]+=[a-z]+){0,9}$/.test(permissions))
    return permissions.replace(/; ?/g, ' or ').replace(/, ?/g, ' and ');
  const accepted = scopesOf(of('x-accepted-oauth-scopes'));
  const held = scopesOf(of('x-oauth-scopes'));
  return accepted.length === 0 || accepted.some((scope) => held.includes(scope))
    ? null
    : `${accepted.length === 1 ? 'the scope' : 'one of the scopes'} ${accepted.join(', ')}`;
}

/** `repo, read:org`: at most twenty. */
export function scopesOf(header: string): string[] {
  return header
    .split(/, */)
    .filter((scope) => /^[a-z_:]{1,40}$/.test(scope))
    .slice(0, 20);
}
