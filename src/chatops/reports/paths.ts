import path from 'node:path';

/**
 * Where a file that a configuration names lies in its repository; null for one outside of it. A configuration that was
 * read from GitHub takes the repository for the root of all paths; else paths are relative to their file.
 */
export function repositoryPath(configuration: string, named: string): string | null {
  const joined = path.posix.isAbsolute(named)
    ? path.posix.normalize(named).slice(1)
    : path.posix.join(path.posix.dirname(configuration), named);
  return joined === '' || joined === '..' || joined.startsWith('../') ? null : joined;
}
