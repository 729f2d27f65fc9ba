import { realpath } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join } from 'node:path';
import { hasCode, UserError } from '../errors.ts';

/**
 * Two stores must not share a place: a store inside of another one is damage to it. Links are followed. Throws
 * `usage` when one of the places is the other, or lies in it.
 */
export async function requireApart(first: string, second: string): Promise<void> {
  const [a, b] = await Promise.all([first, second].map(realPlace));
  const within = (inner: string, outer: string) => `${inner}/`.startsWith(`${outer.replace(/\/$/, '')}/`);
  if (a === undefined || b === undefined || !(within(a, b) || within(b, a))) return;
  throw new UserError({
    code: 'usage',
    message: a === b ? 'The two stores are the same one.' : 'One of the two stores lies inside of the other.',
    where: second,
    fix: 'Name another folder or bucket.',
  });
}

/** A folder without links, as far as it exists; any other address as it is. */
async function realPlace(place: string): Promise<string> {
  if (!isAbsolute(place)) return place;
  try {
    return await realpath(place);
  } catch (error) {
    const missing = hasCode(error, 'ENOENT') || hasCode(error, 'ENOTDIR');
    if (!missing || dirname(place) === place) return place;
    return join(await realPlace(dirname(place)), basename(place));
  }
}
