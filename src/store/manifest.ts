import { z } from 'zod';
import { Digest } from '../json.ts';

/** Who made an object: enough to find the run again. */
export const Producer = z.object({
  /** Git commit, or null outside of a repository. */
  commit: z.string().nullable(),
  /** The workflow run's id and attempt, or a local run's id. */
  run: z.string(),
  attempt: z.number().int().positive(),
  /** Who or what started the run: push, pull_request, schedule, workflow_dispatch, local … */
  trigger: z.string(),
  modelgate: z.string(),
});
export type Producer = z.infer<typeof Producer>;

export const ManifestFile = z.object({
  name: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/),
  size: z.number().int().nonnegative(),
  sha256: Digest,
});
export type ManifestFile = z.infer<typeof ManifestFile>;

/** An immutable thing made by a stage: its files, and the digests of everything that it was made from. */
export const Manifest = z.object({
  schema: z.literal('modelgate.manifest/1'),
  kind: z.enum([
    'snapshot', // one source's rows as Parquet, with blocks
    'dataset', // the snapshots that one run uses, by source
    'validation',
    'code', // files of the user's repository: SQL, scripts, locks
    'features',
    'split',
    'model', // the package: ONNX with preprocessing, feature SQL, signature, metrics
    'attestation', // a signed statement about a package: a signature, or its provenance
    'evaluation',
    'noise',
    'reproduction', // a version's recipe trained again, and how the two differ
    'gate',
    'drift',
    'report',
  ]),
  files: z.array(ManifestFile).max(10_000),
  /** Digests of manifests, by role. */
  inputs: z.record(z.string(), Digest),
  producer: Producer,
  /** What the maker knows and readers want at a glance: rows, columns, parameters, metrics … */
  facts: z.record(z.string(), z.json()),
});
export type Manifest = z.infer<typeof Manifest>;
export type ManifestKind = Manifest['kind'];
