import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { UserError } from '../src/errors.ts';
import { Digest, parseJson } from '../src/json.ts';
import { Outcome } from '../src/outcome.ts';
import { keys } from '../src/store/keys.ts';
import type { Store } from '../src/store/store.ts';

/** The largest artifact that is downloaded, in bytes as uploaded. */
const downloadLimit = 8 * 1024 ** 3;

/** The two things that are asked of the artifact service of a workflow run. */
export interface ArtifactService {
  /** Uploads files of `folder` under a name that must be new in this run: throws `usage`. */
  upload(name: string, files: readonly string[], folder: string): Promise<void>;
  /** Downloads the newest artifact of this name into `folder`, which is empty. */
  download(name: string, folder: string): Promise<void>;
}

/** Whether this job can hand artifacts to others: not on a laptop, not on GitHub Enterprise Server. */
export function hasArtifactService(env: NodeJS.ProcessEnv): boolean {
  if (!env.ACTIONS_RUNTIME_TOKEN || !env.ACTIONS_RESULTS_URL) return false;
  // where @actions/artifact refuses to work
  const host = new URL(env.GITHUB_SERVER_URL || 'https://github.com').hostname.toLowerCase();
  return host === 'github.com' || host.endsWith('.ghe.com') || host.endsWith('.localhost');
}

/** The service of GitHub Actions. The library is loaded on first use: it takes longer than all the rest. */
export function githubArtifacts(): ArtifactService {
  const client = async () => new (await import('@actions/artifact')).DefaultArtifactClient();
  return {
    async upload(name, files, folder) {
      try {
        await (await client()).uploadArtifact(name, [...files], folder, { compressionLevel: 1 });
      } catch (cause) {
        throw isTaken(cause) ? taken(name, cause) : cause;
      }
    },
    async download(name, folder) {
      const service = await client();
      const { artifacts } = await service.listArtifacts({ latest: true });
      const found = artifacts.find((artifact) => artifact.name === name);
      if (found === undefined)
        throw missing(
          name,
          artifacts.map((artifact) => artifact.name),
        );
      if (found.size > downloadLimit) {
        throw new UserError({
          code: 'handoff_refused',
          message: `The artifact has ${found.size} bytes; ${downloadLimit} are allowed.`,
          where: `artifact ${name}`,
          fix: 'Use an s3:// store: jobs then share objects without artifacts.',
        });
      }
      const archive = await mkdtemp(path.join(folder, 'zip-'));
      const { digestMismatch } = await service.downloadArtifact(found.id, {
        path: archive,
        skipDecompress: true, // the library's unzip knows no bounds
        ...(found.digest === undefined ? {} : { expectedHash: found.digest }),
      });
      if (digestMismatch === true) {
        throw new UserError({
          code: 'handoff_refused',
          message: 'The downloaded bytes are not those that were uploaded.',
          where: `artifact ${name}`,
          fix: 'Run the job again.',
        });
      }
      const [file] = await readdir(archive);
      if (file === undefined) throw missing(name, []);
      const { unpackZip } = await import('./zip.ts');
      const { handoffLimits } = await import('../src/store/handoff.ts');
      await unpackZip(path.join(archive, file), folder, {
        entries: 2 * handoffLimits.entries + 1000,
        bytes: handoffLimits.totalBytes,
      });
      await rm(archive, { recursive: true });
    },
  };
}

/** The client gives the service's answer in words alone. */
const isTaken = (error: unknown): boolean => error instanceof Error && error.message.includes('(409)');

function taken(name: string, cause: unknown): UserError {
  return new UserError({
    code: 'usage',
    message: `This run has an artifact ${name} already, of another job or of another model.`,
    where: 'input upload-artifact',
    fix: 'Give each step that may run several times a name of its own, e.g. with the `suffix` of actions/models; or `none`.',
    cause,
  });
}

function missing(name: string, present: readonly string[]): UserError {
  return new UserError({
    code: 'artifact_missing',
    message: `No job of this run has uploaded the artifact ${name}.`,
    where: 'input from-artifacts',
    fix: `Name one of: ${present.slice(0, 20).join(', ') || '(none was uploaded)'}; and let this job need the one that uploads it.`,
  });
}

/** An artifact's name: no path, no pattern. Throws `usage`. */
export function artifactName(text: string, input: string): string {
  if (/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/.test(text)) return text;
  throw new UserError({
    code: 'usage',
    message: `${JSON.stringify(text.slice(0, 100))} is not a name for an artifact.`,
    where: `input ${input}`,
    fix: 'Use 1 to 100 letters, digits, dots, dashes or underscores.',
  });
}

/** Bytes of an outcome that is read for its digests. */
const outcomeLimit = 16_000_000;

/**
 * Takes what earlier jobs handed over into the store; gives the digests that their outcomes name, by output. Throws
 * `artifact_missing`, `handoff_refused`.
 */
export async function receiveArtifacts(
  service: ArtifactService,
  names: readonly string[],
  store: Store,
  temporary: string,
): Promise<Map<string, Digest>> {
  const handed = new Map<string, Digest>();
  const { unpackClosure } = await import('../src/store/handoff.ts');
  for (const name of names) {
    const folder = await mkdtemp(path.join(temporary, 'modelgate-in-'));
    try {
      await service.download(name, folder);
      await unpackClosure(store, path.join(folder, 'handoff'));
      for (const [output, digest] of await digestsOf(path.join(folder, 'outcome.json')))
        handed.set(output, digest);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }
  return handed;
}

/** The digests among the outputs of an outcome's file; none where there is no such file, or it is another one. */
async function digestsOf(file: string): Promise<[string, Digest][]> {
  try {
    if ((await stat(file)).size > outcomeLimit) return [];
    const { outputs } = Outcome.parse(parseJson(await readFile(file, 'utf8'), outcomeLimit));
    return Object.entries(outputs).flatMap(([output, value]) => {
      const digest = Digest.safeParse(value);
      return digest.success ? [[output, digest.data] as [string, Digest]] : [];
    });
  } catch {
    return [];
  }
}

export interface Delivery {
  name: string;
  outcome: Outcome;
  /** The job summary's Markdown. */
  summary: string;
  store: Store;
  /** Whether another job may need what this one made. */
  closure: boolean;
  /** Where to write for a moment. */
  temporary: string;
}

/**
 * Uploads `outcome.json`, `summary.md`, the report's files under `report/`, and if asked, for a folder store, the
 * closure of all digests in the outcome's outputs under `handoff/`. Jobs that share an s3:// store need no closure.
 */
export async function deliverArtifact(service: ArtifactService, delivery: Delivery): Promise<void> {
  const { name, outcome, summary, store, temporary } = delivery;
  const handoff = delivery.closure && !store.storage.url.startsWith('s3://');
  const folder = await mkdtemp(path.join(temporary, 'modelgate-out-'));
  try {
    await writeFile(path.join(folder, 'outcome.json'), `${JSON.stringify(outcome, null, 2)}\n`);
    await writeFile(path.join(folder, 'summary.md'), summary);
    const roots = await storedDigests(store, outcome.outputs);
    for (const root of roots) await writeReports(store, root, folder);
    if (handoff) {
      const { packClosure } = await import('../src/store/handoff.ts');
      await packClosure(store, roots, path.join(folder, 'handoff'));
    }
    await service.upload(name, await filesUnder(folder), folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Digests among an outcome's outputs, one level into records, that the store holds. */
export async function storedDigests(store: Store, outputs: Record<string, unknown>): Promise<Digest[]> {
  const candidates = Object.values(outputs).flatMap((value) =>
    typeof value === 'object' && value !== null ? Object.values(value) : [value],
  );
  const digests = new Set<Digest>();
  for (const candidate of candidates) {
    const digest = Digest.safeParse(candidate);
    if (!digest.success || digests.has(digest.data)) continue;
    const held =
      (await store.storage.size(keys.manifest(digest.data))) !== null || (await store.has(digest.data));
    if (held) digests.add(digest.data);
  }
  return [...digests];
}

/** Copies the files of a manifest that people read. */
async function writeReports(store: Store, digest: Digest, folder: string): Promise<void> {
  if ((await store.storage.size(keys.manifest(digest))) === null) return;
  const manifest = await store.readManifest(digest);
  if (manifest.kind !== 'gate' && manifest.kind !== 'drift' && manifest.kind !== 'report') return;
  await mkdir(path.join(folder, 'report'), { recursive: true });
  for (const file of manifest.files) {
    if (!/\.(md|html|svg|json)$/.test(file.name)) continue;
    await writeFile(path.join(folder, 'report', file.name), await store.readBytes(file.sha256, 50_000_000));
  }
}

async function filesUnder(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => path.join(entry.parentPath, entry.name));
}
