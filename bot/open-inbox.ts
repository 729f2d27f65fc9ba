import type { Inbox } from './inbox.ts';

const scheme = /^postgres(?:ql)?:\/\//;

export const isPostgres = (inbox: string): boolean => scheme.test(inbox);

/** An inbox of PostgreSQL as it may be shown: where it is, and nothing that is secret. A file's name is not changed. */
export function shownInbox(inbox: string): string {
  if (!isPostgres(inbox)) return inbox;
  const { host, pathname } = URL.parse(inbox) ?? { host: '', pathname: '' };
  return `postgres://${host}${pathname}`;
}

/** What must not be told of an inbox's URL. */
export function secretsOfInbox(inbox: string): string[] {
  const url = isPostgres(inbox) ? URL.parse(inbox) : null;
  if (url === null) return [];
  const passwords = [url.password, ...url.searchParams.getAll('password')].filter((one) => one !== '');
  return passwords.flatMap((one) => [one, decoded(one)]);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Opens a file, which is this process's own, or a PostgreSQL database of several. Throws `inbox_unavailable`. */
export async function openInbox(inbox: string): Promise<Inbox> {
  if (!isPostgres(inbox)) return (await import('./sqlite-inbox.ts')).openSqliteInbox(inbox);
  return (await import('./postgres-inbox.ts')).openPostgresInbox(inbox);
}
