import type { UserError } from '../errors.ts';

const comments: Readonly<Record<string, string>> = { Run: 'Comment', run: 'comment', runs: 'comments' };

/** What to do about an error of the registry, as a comment: the registry advises lines of a terminal. */
export function inChat({ code, fix }: Pick<UserError, 'code' | 'fix'>): string {
  if (code === 'generation_moved') return 'Look at `/status`, and give the command again.';
  return fix.replace(
    /(?:\b(Run|run|runs) )?`modelgate (promote|request|approve|rollback|status)((?: [^`]*)?)`/g,
    (_, runs: string | undefined, verb: string, rest: string) => {
      const command = `\`/${verb === 'request' ? 'promote' : verb}${rest.replace(/ --(to|in)\b/g, ' $1')}\``;
      return runs === undefined ? command : `${comments[runs]} ${command}`;
    },
  );
}
