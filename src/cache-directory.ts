import os from 'node:os';
import path from 'node:path';

/** Where Python environments, native modules and copies of remote objects are kept between runs. */
export function cacheDirectory(): string {
  return path.resolve(
    process.env.MODELGATE_CACHE ??
      path.join(process.env.XDG_CACHE_HOME ?? path.join(os.homedir(), '.cache'), 'modelgate'),
  );
}
