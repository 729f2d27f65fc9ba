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
 * @returns the hash, to be compared with the pinned one before anything is done with the file
 * @throws Error with what went wrong, in words for a message; the file may be there in part
 */
export async function download(
  url: string,
  file: string,
  { algorithm, limit }: { algorithm: 'sha256' | 'sha512'; limit: number },
): Promise<Buffer> {
  const hash = createHash(algorithm);
  let bytes = 0;
  const counted = new Transform({
    transform(chunk: Buffer, _, done) {
      bytes += chunk.length;
      hash.update(chunk);
      done(bytes > limit ? new Error(`more than ${limit} bytes`) : null, chunk);
    },
  });
  const answer = await fetch(url, { signal: AbortSignal.timeout(downloadPatience) });
  if (!answer.ok || answer.body === null) throw new Error(`the server answers ${answer.status}`);
  await pipeline(Readable.fromWeb(answer.body), counted, createWriteStream(file, { flags: 'wx' }));
  return hash.digest();
}

/** What a failed download says, short: `fetch` hides the reason in the cause. */
export function downloadProblem(error: unknown): string {
  if (!(error instanceof Error)) return String(error).slice(0, 300);
  const cause = error.cause instanceof Error && error.cause.message !== '' ? `: ${error.cause.message}` : '';
  return `${error.message}${cause}`.slice(0, 300);
}
