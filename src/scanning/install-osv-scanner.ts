import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { chmod, mkdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { download, downloadProblem } from '../download.ts';
import { namesNoFile, UserError } from '../errors.ts';
import type { Digest } from '../json.ts';

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
  { platform, cache }: { platform: string; cache: string },
): Promise<string> {
  const { asset, sha256 } = pinned.platforms[platform] ?? unsupported(pinned, platform);
  const file = path.join(cache, 'osv-scanner', pinned.version, platform, asset);
  if ((await hashOf(file)) === sha256) return file;
  const staging = path.join(cache, `.staging-${randomUUID()}`);
  try {
    await mkdir(staging, { recursive: true });
    const downloaded = path.join(staging, asset);
    const url = `${pinned.releases.replace(/\/+$/, '')}/v${pinned.version}/${asset}`;
    const found = await fetchScanner(url, downloaded);
    if (found !== sha256) {
      throw new UserError({
        code: 'scanner_damaged',
        message: `The downloaded OSV-Scanner ${pinned.version} is not the pinned one: its sha256 is ${found}.`,
        where: url,
        fix: 'Run it again; when it stays so, what MODELGATE_SCANNER_RELEASES names does not give what was released.',
      });
    }
    await chmod(downloaded, 0o755);
    await mkdir(path.dirname(file), { recursive: true });
    await rename(downloaded, file);
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
  return file;
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

async function fetchScanner(url: string, file: string): Promise<Digest> {
  try {
    return (await download(url, file, { algorithm: 'sha256', limit })).toString('hex');
  } catch (cause) {
    throw new UserError({
      code: 'scanner_missing',
      message: `OSV-Scanner could not be downloaded: ${downloadProblem(cause)}.`,
      where: url,
      fix: 'Let the runner reach it, name a mirror of the releases in MODELGATE_SCANNER_RELEASES, or an OSV-Scanner that is there in MODELGATE_SCANNER.',
      cause,
    });
  }
}

function unsupported({ version, platforms }: PinnedScanner, platform: string): never {
  throw new UserError({
    code: 'scanner_missing',
    message: `OSV-Scanner ${version} is not pinned for ${platform}.`,
    where: platform,
    fix: `Scan on one of ${Object.keys(platforms).join(', ')}, or name an OSV-Scanner that is there in MODELGATE_SCANNER.`,
  });
}
