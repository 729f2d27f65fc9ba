import type { SeededBug } from './bugs.ts';

/** Caught by racing processes, by lost answers, or by moves told twice. */
export const raceBugs: readonly SeededBug[] = [
  {
    name: 'generation-unchecked',
    what: 'a move is made though the environment has moved since it was looked at',
    file: 'src/registry/guards.ts',
    from: 'if (expected === null || expected === target.generation) return;',
    to: 'return;',
    caughtBy: 'races',
    proof: 'race',
  },
  {
    name: 'op-id-ignored',
    what: 'an operation that is repeated is done again',
    file: 'src/registry/registry.ts',
    from: 'if (seq === null) return null;\n    const { entry, head }',
    to: 'if (seq !== -1) return null;\n    const { entry, head }',
    caughtBy: 'races',
    proof: 'moves',
  },
  {
    name: 'listing-for-truth',
    what: 'an entry is there when a listing shows it',
    file: 'src/registry/registry.ts',
    from: 'const next = await readEntry(this.storage, model, known.seq + fresh.length + 1);',
    to: `const wanted = known.seq + fresh.length + 1;
      let listed = false;
      for await (const { key } of this.storage.list(keys.logs())) listed ||= key === keys.log(model, wanted);
      const next = listed ? await readEntry(this.storage, model, wanted) : null;`,
    caughtBy: 'races',
    proof: 'moves',
  },
  {
    name: 'refusal-believed',
    what: 'a 412 is taken for another’s success, without a look at who made what is there',
    file: 'src/store/s3-create.ts',
    from: "return maker === 'ours' ? 'created' : 'exists';",
    to: "return 'exists';",
    caughtBy: 'races',
    proof: 'faults',
  },
  {
    name: 'refusal-taken-for-success',
    what: 'a 412 is taken for the echo of our own success, without a look at who made what is there',
    file: 'src/store/s3-create.ts',
    from: "return maker === 'ours' ? 'created' : 'exists';",
    to: "return 'created';",
    caughtBy: 'races',
    proof: 'faults',
  },
  {
    name: 'created-without-condition',
    what: 'an entry is put into the bucket whether or not one is there',
    file: 'src/store/s3.ts',
    from: "{ IfNoneMatch: '*', Metadata: signed(writer) }",
    to: '{ Metadata: signed(writer) }',
    caughtBy: 'races',
    proof: 'faults',
  },
];
