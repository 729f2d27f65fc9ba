import { copyFile, lstat, mkdir, readFile, realpath, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { hasCode, UserError } from '../errors.ts';
import { canonicalJson, Digest, parseJson, sha256 } from '../json.ts';
import { keys } from './keys.ts';
import { Manifest } from './manifest.ts';
import { hashFile, type Store } from './store.ts';

/** How much one hand-off may hold. It comes from another job, which may have run a stranger's code. */
export const handoffLimits = {
  entries: 20_000,
  manifestBytes: 8_000_000,
  totalBytes: 20 * 1024 ** 3,
  indexBytes: 4_000_000,
} as const;

const Entry = z.strictObject({ sha256: Digest, size: z.number().int().nonnegative() });

/** `handoff.json`: what the folder holds. Names in the folder are digests, so no name comes from a stranger. */
const Index = z.strictObject({
  schema: z.literal('modelgate.handoff/1'),
  roots: z.array(Digest).max(1000),
  manifests: z.array(Entry).max(handoffLimits.entries),
  objects: z.array(Entry).max(handoffLimits.entries),
});
type Index = z.infer<typeof Index>;

export interface HandoffSize {
  manifests: number;
  objects: number;
  /** Bytes of manifests and objects together. */
  bytes: number;
}

/**
 * Writes everything reachable from `roots` into `folder` (made if need be): `handoff.json`,
 * `manifests/<sha256>` and `objects/<sha256>`. A root may be a manifest or a plain object. Stage results of
 * the cache are left out on purpose: whoever fills a cache decides what later jobs believe.
 * Throws `object_missing`, `object_damaged`.
 */
export async function packClosure(
  store: Store,
  roots: readonly Digest[],
  folder: string,
): Promise<HandoffSize> {
  const index: Index = {
    schema: 'modelgate.handoff/1',
    roots: [...new Set(roots)],
    manifests: [],
    objects: [],
  };
  await mkdir(path.join(folder, 'manifests'), { recursive: true });
  await mkdir(path.join(folder, 'objects'), { recursive: true });
  const seen = new Set<Digest>();
  const queue = [...index.roots];
  for (let digest = queue.pop(); digest !== undefined; digest = queue.pop()) {
    if (seen.has(digest)) continue;
    seen.add(digest);
    if ((await store.storage.size(keys.manifest(digest))) === null) {
      const source = await store.localFile(digest);
      await copyFile(source, path.join(folder, 'objects', digest));
      index.objects.push({ sha256: digest, size: (await lstat(source)).size });
      continue;
    }
    const manifest = await store.readManifest(digest);
    const bytes = Buffer.from(canonicalJson(manifest));
    await writeFile(path.join(folder, 'manifests', digest), bytes);
    index.manifests.push({ sha256: digest, size: bytes.length });
    queue.push(...manifest.files.map((file) => file.sha256), ...Object.values(manifest.inputs));
  }
  await writeFile(path.join(folder, 'handoff.json'), canonicalJson(index));
  return sizeOf(index);
}

/**
 * Takes a folder written by `packClosure` into a store. The folder is a stranger's: only files that
 * `handoff.json` names are opened, none through a link, and each is hashed before it enters. Objects go in
 * before the manifests that name them, and a manifest only when everything it names is there, so that nothing
 * half taken over is left. Throws `handoff_refused` and takes in no manifest then.
 */
export async function unpackClosure(
  store: Store,
  folder: string,
): Promise<HandoffSize & { roots: Digest[] }> {
  const index = await readIndex(folder);
  const size = sizeOf(index);
  if (size.bytes > handoffLimits.totalBytes) {
    throw refused(folder, `It holds ${size.bytes} bytes; ${handoffLimits.totalBytes} are allowed.`);
  }
  const manifests = new Map<Digest, Manifest>();
  for (const entry of index.manifests) manifests.set(entry.sha256, await readPackedManifest(folder, entry));

  const packed = new Set(index.objects.map((entry) => entry.sha256));
  const present = async (digest: Digest) =>
    packed.has(digest) ||
    manifests.has(digest) ||
    (await store.has(digest)) ||
    (await store.storage.size(keys.manifest(digest))) !== null;
  for (const [digest, manifest] of manifests) {
    for (const needed of [...manifest.files.map((file) => file.sha256), ...Object.values(manifest.inputs)]) {
      if (await present(needed)) continue;
      throw refused(
        folder,
        `The ${manifest.kind} ${short(digest)} needs ${short(needed)}, which is not in it.`,
      );
    }
  }
  for (const root of index.roots) {
    if (!(await present(root))) throw refused(folder, `It is about ${short(root)}, which is not in it.`);
  }

  for (const entry of index.objects) {
    const file = path.join(folder, 'objects', entry.sha256);
    await requirePlainFile(folder, file, entry);
    if ((await hashFile(file)).sha256 !== entry.sha256) throw wrongBytes(folder, 'object', entry.sha256);
    const stored = await store.putFile(file);
    if (stored.sha256 !== entry.sha256) throw wrongBytes(folder, 'object', entry.sha256);
  }
  for (const digest of childrenFirst(manifests)) {
    const { schema: _, ...manifest } = manifests.get(digest)!;
    await store.putManifest(manifest);
  }
  return { ...size, roots: index.roots };
}

async function readIndex(folder: string): Promise<Index> {
  const file = path.join(folder, 'handoff.json');
  let found: Awaited<ReturnType<typeof lstat>>;
  try {
    found = await lstat(file);
  } catch (error) {
    if (isAbsence(error)) throw refused(folder, 'It has no handoff.json.');
    throw error;
  }
  if (!found.isFile() || found.size > handoffLimits.indexBytes) {
    throw refused(folder, 'handoff.json is not a plain file of a sensible size.');
  }
  let parsed: unknown;
  try {
    parsed = parseJson(await readFile(file, 'utf8'), handoffLimits.indexBytes);
  } catch (error) {
    if (error instanceof SyntaxError) throw refused(folder, 'handoff.json is not JSON.', error);
    throw error;
  }
  const index = Index.safeParse(parsed);
  if (!index.success) throw refused(folder, 'handoff.json does not have the expected form.', index.error);
  return index.data;
}

async function readPackedManifest(folder: string, entry: z.infer<typeof Entry>): Promise<Manifest> {
  const file = path.join(folder, 'manifests', entry.sha256);
  await requirePlainFile(folder, file, entry);
  if (entry.size > handoffLimits.manifestBytes) throw refused(folder, 'A manifest is too large.');
  const bytes = await readFile(file);
  if (sha256(bytes) !== entry.sha256) throw wrongBytes(folder, 'manifest', entry.sha256);
  const text = bytes.toString('utf8');
  let manifest: Manifest;
  try {
    manifest = Manifest.parse(parseJson(text, handoffLimits.manifestBytes));
  } catch (error) {
    throw refused(folder, `The manifest ${short(entry.sha256)} does not have the expected form.`, error);
  }
  // The store writes manifests as canonical JSON: anything else would get another digest there.
  if (canonicalJson(manifest) !== text) {
    throw refused(folder, `The manifest ${short(entry.sha256)} is not canonical JSON.`);
  }
  return manifest;
}

async function requirePlainFile(folder: string, file: string, entry: z.infer<typeof Entry>): Promise<void> {
  try {
    const found = await lstat(file);
    // its folder may be a link as well
    const plain =
      found.isFile() &&
      (await realpath(file)) === path.join(await realpath(folder), path.relative(folder, file));
    if (plain && found.size === entry.size) return;
    throw refused(folder, `${short(entry.sha256)} is not a plain file of ${entry.size} bytes.`);
  } catch (error) {
    if (!isAbsence(error)) throw error;
    throw refused(folder, `${short(entry.sha256)} is named in handoff.json but is not there.`);
  }
}

/** Whether nothing is there, be it because something else than a folder stands on the way. */
const isAbsence = (error: unknown) => ['ENOENT', 'ENOTDIR', 'ELOOP'].some((code) => hasCode(error, code));

/** Manifests in an order in which each comes after those that it was made from. */
function childrenFirst(manifests: ReadonlyMap<Digest, Manifest>): Digest[] {
  const order: Digest[] = [];
  const entered = new Set<Digest>();
  for (const root of manifests.keys()) {
    // A stack of its own: a stranger's chain may be deeper than the call stack. Hashes can't form a circle.
    const stack: { digest: Digest; done: boolean }[] = [{ digest: root, done: false }];
    for (let top = stack.pop(); top !== undefined; top = stack.pop()) {
      if (top.done) {
        order.push(top.digest);
        continue;
      }
      const manifest = manifests.get(top.digest);
      if (manifest === undefined || entered.has(top.digest)) continue;
      entered.add(top.digest);
      stack.push({ digest: top.digest, done: true });
      for (const digest of Object.values(manifest.inputs)) stack.push({ digest, done: false });
    }
  }
  return order;
}

function sizeOf(index: Index): HandoffSize {
  const bytes = [...index.manifests, ...index.objects].reduce((sum, entry) => sum + entry.size, 0);
  return { manifests: index.manifests.length, objects: index.objects.length, bytes };
}

const short = (digest: string) => digest.slice(0, 12);

function wrongBytes(folder: string, what: string, digest: Digest): UserError {
  return refused(folder, `The ${what} ${short(digest)} does not have the bytes that its digest says.`);
}

function refused(folder: string, what: string, cause?: unknown): UserError {
  return new UserError({
    code: 'handoff_refused',
    message: `The hand-off of another job is refused. ${what}`,
    where: { file: path.basename(folder) },
    fix: 'Run the job that uploaded it again; if it happens again, look at what that job ran.',
    cause,
  });
}
