import { z } from 'zod';
import { Digest, parseJson } from '../json.ts';

const answerLimit = 65_536;

/** What `/v2/health/ready` tells of what serves; see `Application`. */
const Readiness = z.object({
  model: z.string().max(200),
  environment: z.string().max(200),
  serving: z
    .object({
      version: z.number().int().positive(),
      manifest: Digest,
      generation: z.number().int().positive(),
    })
    .nullable(),
});
export type Readiness = z.infer<typeof Readiness>;

/**
 * Asks a server what it serves. Any answer is a stranger's: bounded in size and time, no redirect is followed. Gives
 * the reason in words when it tells nothing.
 */
export async function observe(
  url: string,
  options: { signal: AbortSignal; timeoutMs?: number },
): Promise<Readiness | { unreachable: string }> {
  const { signal, timeoutMs = 5000 } = options;
  try {
    const response = await fetch(`${url.replace(/\/+$/, '')}/v2/health/ready`, {
      redirect: 'error',
      signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
    });
    // 503 tells what is loaded, too: nothing yet, or a server that drains
    if (response.status !== 200 && response.status !== 503) {
      await response.body?.cancel();
      return { unreachable: `it answers with status ${response.status}` };
    }
    const parsed = Readiness.safeParse(parseJson(await readText(response), answerLimit));
    return parsed.success ? parsed.data : { unreachable: 'it does not answer as modelgate serve does' };
  } catch (error) {
    signal.throwIfAborted();
    return { unreachable: reasonOf(error) };
  }
}

async function readText(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.length;
    if (size > answerLimit) throw new SyntaxError('its answer is too long');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function reasonOf(error: unknown): string {
  if (error instanceof SyntaxError) return 'its answer is no JSON of a sensible size';
  if (error instanceof Error && error.name === 'TimeoutError') return 'it did not answer in time';
  const cause = error instanceof Error ? error.cause : undefined;
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
  return /^[A-Z_]{3,40}$/.test(code) ? `it cannot be reached (${code})` : 'it cannot be reached';
}
