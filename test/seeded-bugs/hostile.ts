import type { SeededBug } from './bugs.ts';

const fileSystem = 'src/store/file-system.ts';

/** Caught by hostile names, archives and links. */
export const hostileBugs: readonly SeededBug[] = [
  {
    name: 'names-of-any-case',
    what: 'names that differ in case alone are two names, which some file systems hold to be one',
    file: 'src/names.ts',
    from: '{0,62}$/,',
    to: '{0,62}$/i,',
    caughtBy: 'hostile',
    proof: 'names',
  },
  {
    name: 'names-with-two-dots',
    what: 'a name may hold two dots in a row',
    file: 'src/names.ts',
    from: "!name.includes('..')",
    to: 'true',
    caughtBy: 'hostile',
    proof: 'names',
  },
  {
    name: 'keys-unchecked',
    what: 'a storage key may be any path',
    file: fileSystem,
    from: 'if (parts.some(isWrong)) {',
    to: 'if (parts.length < 0 && isWrong(key)) {',
    caughtBy: 'hostile',
    proof: 'names',
  },
  {
    name: 'links-followed',
    what: 'links inside a store are followed',
    file: fileSystem,
    from: 'if (real !== join(this.real, relative(this.url, path))) throw outside(path);',
    to: '',
    caughtBy: 'hostile',
    proof: 'links',
  },
  {
    name: 'archive-names-unchecked',
    what: 'a file of an archive is written wherever its name leads',
    file: 'src/zip.ts',
    from: 'requirePlainName(name);',
    to: '',
    caughtBy: 'hostile',
    proof: 'archives',
  },
  {
    name: 'archive-sizes-believed',
    what: 'a file of an archive may unpack to more bytes than it says',
    file: 'actions/zip.ts',
    from: "done(written > entry.size ? new ZipRefused('a file is longer than it says') : null, chunk);",
    to: 'done(null, chunk);',
    caughtBy: 'hostile',
    proof: 'archives',
  },
  {
    name: 'handoff-folders-followed',
    what: 'a folder of a hand-off may be a link to anywhere',
    file: 'src/store/handoff.ts',
    from: 'found.isFile() &&\n      (await realpath(file)) === path.join(await realpath(folder), path.relative(folder, file));',
    to: 'found.isFile();',
    caughtBy: 'hostile',
    proof: 'handoffs',
  },
];
