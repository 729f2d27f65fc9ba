import { hasCode, UserError } from '../src/errors.ts';
import { shownInbox } from './open-inbox.ts';

/** What PostgreSQL or the network says, by its code; never its text, which may quote settings. */
const reasons: Readonly<Record<string, [message: string, fix: string]>> = {
  '28P01': [
    'PostgreSQL does not take the password.',
    'Set the right one in MODELGATE_BOT_INBOX or PGPASSWORD.',
  ],
  '28000': [
    'PostgreSQL does not let this user in.',
    'See pg_hba.conf of the server, and the user in the URL.',
  ],
  '3D000': ['There is no such database.', 'Create it: the bot makes its own tables in it, and nothing else.'],
  '42501': [
    'The user may not make the tables of the inbox, or not use them.',
    'Grant CREATE on the database, or let its owner start one bot once and grant the rest on the schema modelgate_bot.',
  ],
  ENOTFOUND: ['The host of the inbox is not known.', 'Compare the URL in MODELGATE_BOT_INBOX.'],
  ECONNREFUSED: ['Nobody listens where the inbox should be.', 'Start PostgreSQL, or mend the host and port.'],
};

/** Also for a session that was lost. Neither password nor options of the URL are in it. */
export function unreachable(url: string, cause: unknown): UserError {
  const known = Object.entries(reasons).find(([code]) => hasCode(cause, code))?.[1];
  const [message, fix] = known ?? [
    'The inbox cannot be reached.',
    'See whether PostgreSQL runs and lets this machine in; the bot goes on where it was when it is started again.',
  ];
  return new UserError({ code: 'inbox_unavailable', message, where: shownInbox(url), fix, cause });
}

export function otherVersion(url: string, version: string): UserError {
  return new UserError({
    code: 'inbox_unavailable',
    message: `The tables of the inbox are of version ${version.slice(0, 20)}, which this bot does not know.`,
    where: shownInbox(url),
    fix: 'Start the bot of the version that made them.',
  });
}
