import type { SourceInputs } from '../data/sources.ts';
import { type Digest, digestOf } from '../json.ts';

/**
 * Names the state of all sources together, by the content of their files: neither the files' names, times and order
 * nor the configured window and time column count, so that only data that are delivered make another version.
 */
export function versionOf(sources: SourceInputs): Digest {
  const files = Object.entries(sources).map(([name, source]) => [name, [...new Set(source.files)].sort()]);
  return digestOf({ schema: 'modelgate.sources/1', sources: Object.fromEntries(files) });
}
