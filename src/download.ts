import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';

/** Milliseconds for one download. */
export const downloadPatience = 300_000;

/**
 * Writes what a URL gives to a new file, and hashes it on the way.
 *
 * @param limit bytes at most
 * @param signal ends the download before its time
 * @returns the hash, to be compared with the pinned one before anything is done with the file
 * @throws Error with what went wrong, in words for a message; the file may be there in part
 */
export async function download(
  url: string,
  file: string,
  { algorithm, limit, signal }: { algorithm: 'sha256' | 'sha512'; limit: number; signal?: AbortSignal },
): Promise<Buffer> {
  // fetch refuses such a URL, and says the password while it does
  const { username, password } = new URL(url);
  if (username !== '' || password !== '') throw new Error('its URL names a user or a password');
  const hash = createHash(algorithm);
  let bytes = 0;
  const counted = new Transform({
    transform(chunk: Buffer, _, done) {
      bytes += chunk.length;
      hash.update(chunk);
      done(bytes > limit ? new Error(`more than ${limit} bytes`) : null, chunk);
    },
  });
  const ends = [AbortSignal.timeout(downloadPatience), ...(signal === undefined ? [] : [signal])];
  const answer = await fetch(url, { signal: AbortSignal.any(ends) });
  if (!answer.ok || answer.body === null) throw new Error(`the server answers ${answer.status}`);
  await pipeline(Readable.fromWeb(answer.body), counted, createWriteStream(file, { flags: 'wx' }));
  return hash.digest();
}

/** A URL for messages: a user, a password and what is asked for may be secret. */
export function shownUrl(url: string): string {
  const parsed = URL.parse(url);
  return parsed !== null && /^https?:$/.test(parsed.protocol)
    ? `${parsed.origin}${parsed.pathname}`
    : '(no http URL)';
}

/** What a failed download says, short: `fetch` hides the reason in the cause. */
export function downloadProblem(error: unknown): string {
  if (!(error instanceof Error)) return String(error).slice(0, 300);
  const cause = error.cause instanceof Error && error.cause.message !== '' ? `: ${error.cause.message}` : '';
  return `${error.message}${cause}`.slice(0, 300);
}
