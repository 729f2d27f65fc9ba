import { createHash } from 'node:crypto';
import type { Random } from '../../../src/stats/random.ts';
import type { Change, Disk } from './disk.ts';

/** How much of an un-synced write arrived. */
type Arrived = 'dropped' | 'kept' | 'half' | 'zeros';
/** What became of each un-synced change, by its index. */
type Fate = ReadonlyMap<number, Arrived>;

/** A tree of files as the disk may hold it. */
export interface DiskState {
  /** By path. */
  files: Map<string, Buffer>;
  folders: string[];
  /** Equal for equal states, temporary files left out: nothing reads them. */
  signature: string;
}

/** Un-synced changes up to which every subset is tried. */
const everySubset = 6;
/** Random subsets beyond that. */
const randomSubsets = 16;

/**
 * States that the disk may hold after a power cut now: of the un-synced changes all dropped, all kept, each single one
 * dropped or kept, writes torn or of zeros; every subset where they are few, random ones where they are many. Those of
 * the temporary folder count as one.
 */
export function* statesAfterPowerCut(disk: Disk, random: Random): Generator<DiskState> {
  for (const fate of fates(disk, random)) yield build(disk, fate);
}

function* fates(disk: Disk, random: Random): Generator<Fate> {
  const groups = groupsOf(disk);
  const fateOf = (kept: (group: number) => boolean): Map<number, Arrived> =>
    new Map(
      groups.flatMap((group, at) => group.map((index) => [index, kept(at) ? 'kept' : 'dropped'] as const)),
    );
  if (groups.length <= everySubset) {
    for (let subset = 0; subset < 2 ** groups.length; subset += 1)
      yield fateOf((at) => (subset >> at) % 2 === 1);
  } else {
    yield fateOf(() => false);
    yield fateOf(() => true);
    for (const single of groups.keys()) {
      yield fateOf((at) => at === single);
      yield fateOf((at) => at !== single);
    }
    for (let times = 0; times < randomSubsets; times += 1) {
      const subset = random.uint32();
      yield fateOf((at) => (subset >>> (at % 32)) % 2 === 1);
    }
  }
  for (const index of disk.unsynced) {
    if (disk.changes[index]?.kind !== 'data') continue;
    for (const torn of ['half', 'zeros'] as const) yield fateOf(() => true).set(index, torn);
  }
}

/** The un-synced changes, each alone; those of the temporary folder together. */
function groupsOf({ changes, folders, unsynced }: Disk): number[][] {
  const isTemporaryFolder = (change: Change) =>
    change.kind === 'entry' && change.name === 'tmp' && folders.has(change.inode ?? -1);
  const temporary = new Set(
    changes.filter(isTemporaryFolder).map((change) => (change.kind === 'entry' ? change.inode : null)),
  );
  const together: number[] = [];
  const alone: number[][] = [];
  for (const index of unsynced) {
    const change = changes[index]!;
    if (change.kind === 'entry' && temporary.has(change.folder)) together.push(index);
    else alone.push([index]);
  }
  return together.length === 0 ? alone : [...alone, together];
}

function build({ changes, folders }: Disk, fate: Fate): DiskState {
  const names = new Map([...folders].map((folder) => [folder, new Map<string, number>()]));
  const bytes = new Map<number, Buffer>();
  for (const [index, change] of changes.entries()) {
    const arrived = fate.get(index) ?? 'kept';
    if (arrived === 'dropped') continue;
    if (change.kind === 'data') {
      bytes.set(change.inode, written(bytes.get(change.inode), change, arrived));
    } else if (change.kind === 'rename') {
      const { from, to, inode } = change;
      if (names.get(from.folder)?.get(from.name) === inode) names.get(from.folder)?.delete(from.name);
      names.get(to.folder)?.set(to.name, inode);
    } else if (change.inode === null) names.get(change.folder)?.delete(change.name);
    else names.get(change.folder)?.set(change.name, change.inode);
  }
  const state = { files: new Map<string, Buffer>(), folders: [] as string[] };
  const walk = (folder: number, prefix: string) => {
    for (const [name, inode] of names.get(folder) ?? []) {
      if (!folders.has(inode)) {
        state.files.set(prefix + name, bytes.get(inode) ?? Buffer.alloc(0));
        continue;
      }
      state.folders.push(prefix + name);
      walk(inode, `${prefix}${name}/`);
    }
  };
  walk(0, '');
  return { ...state, signature: signatureOf(state) };
}

function written(
  before: Buffer | undefined,
  { offset, bytes }: Extract<Change, { kind: 'data' }>,
  arrived: Arrived,
): Buffer {
  const part = arrived === 'half' ? bytes.subarray(0, bytes.length >> 1) : bytes;
  const after = Buffer.alloc(Math.max(before?.length ?? 0, offset + part.length));
  before?.copy(after);
  if (arrived === 'zeros') after.fill(0, offset, offset + part.length);
  else part.copy(after, offset);
  return after;
}

function signatureOf({ files, folders }: Pick<DiskState, 'files' | 'folders'>): string {
  const hash = createHash('sha256');
  for (const folder of folders.toSorted()) hash.update(`${folder}\n`);
  for (const [file, bytes] of [...files].sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (!isTemporary(file)) hash.update(`${file} ${bytes.length}\n`).update(bytes);
  }
  return hash.digest('hex');
}

function isTemporary(file: string): boolean {
  return file.split('/').at(-2) === 'tmp';
}
