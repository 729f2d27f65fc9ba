import { crashBugs } from './crash.ts';
import { hostileBugs } from './hostile.ts';
import type { ShortProof } from './proofs.ts';
import { raceBugs } from './races.ts';
import { verifyBugs } from './verify.ts';

/** A wrong edit of one module, and the proof that must notice it. */
export interface SeededBug {
  name: string;
  /** What is wrong, in one sentence. */
  what: string;
  /** Of the module, from the repository's root. */
  file: string;
  /** Found exactly once in the module, replaced by `to`. */
  from: string;
  to: string;
  /** The part of `chaos:registry` that catches it. */
  caughtBy: 'races' | 'crash' | 'verify' | 'hostile' | 'gc';
  /** The short form of that part that is enough; the bugs of `crash` and `gc` have theirs there. */
  proof?: ShortProof;
}

export const seededBugs: readonly SeededBug[] = [
  ...crashBugs,
  ...raceBugs,
  ...verifyBugs,
  ...hostileBugs,
  {
    name: 'gc-no-cancel',
    what: 'a mark is not cancelled before what it names is counted on',
    file: 'src/registry/gc-keeper.ts',
    from: 'if (!state.marks.has(digest)) return',
    to: 'return',
    caughtBy: 'gc',
  },
  {
    name: 'gc-cancels-half',
    what: 'the mark of a manifest is cancelled, and those of its files stand',
    file: 'src/registry/gc-keeper.ts',
    from: "if (state === 'marked') queue.push(name);",
    to: "if (state === 'marked') continue;",
    caughtBy: 'gc',
  },
  {
    name: 'gc-commit-unkept',
    what: 'a log entry names what is marked',
    file: 'src/registry/registry.ts',
    from: 'await this.keepNamed(entry);',
    to: '',
    caughtBy: 'gc',
  },
  {
    name: 'gc-manifest-unkept',
    what: 'a manifest names what was there when it was uploaded, and is marked or swept since',
    file: 'src/store/store.ts',
    from: 'await this.keep([...manifest.files.map((file) => file.sha256), ...Object.values(manifest.inputs)]);',
    to: '',
    caughtBy: 'gc',
  },
];
