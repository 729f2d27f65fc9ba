import type { SeededBug } from './bugs.ts';

const fileSystem = 'src/store/file-system.ts';
const durableFiles = 'src/store/durable-files.ts';
const registry = 'src/registry/registry.ts';

/** Caught by the proofs in test/registry/crash, each by the one that proofs.ts names for it. */
export const crashBugs: readonly SeededBug[] = [
  bug({
    name: 'commit-by-rename',
    what: 'a file gets its final name by rename, which overwrites what another process put there',
    file: fileSystem,
    from: 'await linkOnce(temporary, path);',
    to: "await rename(temporary, path).then(() => 'created' as const);",
  }),
  bug({
    name: 'commit-on-final-name',
    what: 'a file is written under its final name, where it can be seen half written',
    file: fileSystem,
    from: 'const linked = await linkOnce(temporary, path);',
    to: `const final = await open(path, 'wx');
      await final.writeFile(content as Uint8Array);
      await final.sync();
      await final.close();
      const linked = 'created';`,
  }),
  bug({
    name: 'entry-not-synced',
    what: 'a file is linked before its bytes are on the disk',
    file: fileSystem,
    from: 'if (sync) await file.sync();',
    to: '',
  }),
  bug({
    name: 'folder-not-synced',
    what: 'a new file is told as stored before its name is on the disk',
    file: fileSystem,
    from: 'await syncFolder(dirname(path));\n        return linked;',
    to: 'return linked;',
  }),
  bug({
    name: 'objects-not-synced',
    what: 'log entries are synced, the objects that they lead to are not',
    file: fileSystem,
    from: 'await this.writeTemporary(content, 0o444, true);',
    to: "await this.writeTemporary(content, 0o444, key.startsWith('log/'));",
  }),
  bug({
    name: 'new-folders-not-synced',
    what: 'the name of a new folder inside the store is not synced in its parent',
    file: fileSystem,
    from: '    await syncFolder(dirname(folder));\n  }\n\n  private async writeTemporary',
    to: '  }\n\n  private async writeTemporary',
  }),
  bug({
    name: 'parents-not-synced',
    what: 'of several new folders above the store only the last one is synced in its parent',
    file: fileSystem,
    from: 'await syncParents(dirname(folder));',
    to: '',
  }),
  bug({
    name: 'existing-not-synced',
    what: 'a file that a killed process left visible is taken as stored, though its name is not on the disk',
    file: fileSystem,
    from: 'await syncFolder(dirname(path)); // another creator may not have got so far yet',
    to: '',
  }),
  bug({
    name: 'replay-not-persisted',
    what: 'an operation that a killed process had begun is told as done, though its entry is not on the disk',
    file: registry,
    from: 'if (seq > 0) await this.storage.persist(keys.log(model, seq));',
    to: '',
  }),
  bug({
    name: 'sync-error-swallowed',
    what: 'a disk that cannot keep the bytes is not noticed',
    file: fileSystem,
    from: 'if (sync) await file.sync();',
    to: 'if (sync) await file.sync().catch(() => undefined);',
  }),
  bug({
    name: 'folder-sync-error-swallowed',
    what: 'a disk that cannot keep a name is not noticed',
    file: durableFiles,
    from: "if (!hasCode(error, 'EINVAL') && !hasCode(error, 'EPERM')) throw error;",
    to: 'void error;',
  }),
  bug({
    name: 'link-error-taken-as-success',
    what: 'a link that failed is taken for one whose answer was lost',
    file: durableFiles,
    from: "if ((await stat(temporary).catch(() => null))?.nlink === 2) return 'created';",
    to: "if (!hasCode(error, 'EEXIST')) return 'created';",
  }),
  bug({
    name: 'hint-before-commit',
    what: 'the hint names an entry before it is there, so that a crash between the two looks like lost history',
    file: registry,
    from: 'await this.guardTruncation(state);',
    to: 'await this.writeCaches(next);',
  }),
];

function bug(one: Omit<SeededBug, 'caughtBy'>): SeededBug {
  return { ...one, caughtBy: 'crash' };
}
