import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { chmod, mkdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { download, downloadProblem, shownUrl } from '../download.ts';
import { namesNoFile, UserError } from '../errors.ts';
import type { Digest } from '../json.ts';
import { makeStaging } from '../staging.ts';

/** A release of the scanner: one program a platform, by its sha256. */
export interface PinnedScanner {
  version: string;
  /** Where releases are downloaded from; a mirror may stand in. */
  releases: string;
  /** By Node's names of platform and architecture: `linux-x64`. */
  platforms: Record<string, { asset: string; sha256: Digest }>;
}

/** Bytes of the program at most. */
const limit = 300_000_000;

/**
 * The path of the pinned scanner: kept in `cache`, else downloaded there in one step. It is a program of strangers, so
 * its bytes are compared with the pinned sha256 before each use. Throws `scanner_missing`, `scanner_damaged`.
 */
export async function installScanner(
  pinned: PinnedScanner,
  { platform, cache, signal }: { platform: string; cache: string; signal: AbortSignal },
): Promise<string> {
  const { asset, sha256 } = pinned.platforms[platform] ?? unsupported(pinned, platform);
  const file = path.join(cache, 'osv-scanner', pinned.version, platform, asset);
  if ((await hashOf(file)) === sha256) {
    // a cache that was copied may have lost it; where it is another user's, it is theirs to give
    await chmod(file, 0o755).catch(() => undefined);
    return file;
  }
  const staging = await makeStaging(cache).catch((cause: unknown) => {
    throw unkept(cause, cache);
  });
  try {
    const downloaded = path.join(staging, asset);
    const url = `${pinned.releases.replace(/\/+$/, '')}/v${pinned.version}/${asset}`;
    const found = await fetchScanner(url, downloaded, signal);
    if (found !== sha256) {
      throw new UserError({
        code: 'scanner_damaged',
        message: `The downloaded OSV-Scanner ${pinned.version} is not the pinned one: its sha256 is ${found}.`,
        where: shownUrl(url),
        fix: 'Run it again; when it stays so, what MODELGATE_SCANNER_RELEASES names does not give what was released.',
      });
    }
    await keep(downloaded, file).catch(async (cause: unknown) => {
      // another process was first: Windows replaces no program that runs
      if ((await hashOf(file)) !== sha256) throw unkept(cause, file);
    });
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
  return file;
}

async function keep(downloaded: string, file: string): Promise<void> {
  await chmod(downloaded, 0o755);
  await mkdir(path.dirname(file), { recursive: true });
  await rename(downloaded, file);
}

/** Null where there is no such file. */
async function hashOf(file: string): Promise<Digest | null> {
  const hash = createHash('sha256');
  try {
    await pipeline(createReadStream(file), hash);
  } catch (error) {
    if (namesNoFile(error)) return null;
    throw error;
  }
  return hash.digest('hex');
}

async function fetchScanner(url: string, file: string, signal: AbortSignal): Promise<Digest> {
  try {
    return (await download(url, file, { algorithm: 'sha256', limit, signal })).toString('hex');
  } catch (cause) {
    signal.throwIfAborted();
    throw new UserError({
      code: 'scanner_missing',
      message: `OSV-Scanner could not be downloaded: ${downloadProblem(cause)}.`,
      where: shownUrl(url),
      fix: 'Let the runner reach it, name a mirror of the releases in MODELGATE_SCANNER_RELEASES, or an OSV-Scanner that is there in MODELGATE_SCANNER.',
      cause,
    });
  }
}

function unkept(cause: unknown, where: string): UserError {
  return new UserError({
    code: 'scanner_missing',
    message: `OSV-Scanner cannot be kept in the tool cache: ${cause instanceof Error ? cause.message.slice(0, 300) : cause}.`,
    where,
    fix: 'Remove what stands there, or give this user room and write permission (RUNNER_TOOL_CACHE names the folder), or name an OSV-Scanner that is there in MODELGATE_SCANNER.',
    cause,
  });
}

function unsupported({ version, platforms }: PinnedScanner, platform: string): never {
  throw new UserError({
    code: 'scanner_missing',
    message: `OSV-Scanner ${version} is not pinned for ${platform}.`,
    where: platform,
    fix: `Scan on one of ${Object.keys(platforms).join(', ')}, or name an OSV-Scanner that is there in MODELGATE_SCANNER.`,
  });
}
