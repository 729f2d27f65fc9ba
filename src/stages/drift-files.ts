import type { Digest, Json } from '../json.ts';
import type { ManifestFile } from '../store/manifest.ts';
import type { StageContext } from './define.ts';

export interface DriftFiles {
  /** drift.json. */
  json: unknown;
  /** report.html. */
  html: string;
  /** issue.md: the alerts' bodies. */
  issue: string;
  /** Digests of manifests, by role. */
  inputs: Record<string, Digest>;
  facts: Record<string, Json>;
}

/** Stores a drift check's files and their manifest. */
export async function putDrift(
  context: Pick<StageContext, 'store' | 'producer'>,
  made: DriftFiles,
): Promise<Digest> {
  const texts = [
    ['drift.json', `${JSON.stringify(made.json, null, 1)}\n`],
    ['report.html', made.html],
    ['issue.md', made.issue],
  ] as const;
  // each waits for the disk
  const files: ManifestFile[] = await Promise.all(
    texts.map(async ([name, text]) => {
      const bytes = Buffer.from(text);
      return { name, size: bytes.length, sha256: await context.store.putBytes(bytes) };
    }),
  );
  return context.store.putManifest({
    kind: 'drift',
    files,
    inputs: made.inputs,
    producer: context.producer,
    facts: made.facts,
  });
}
