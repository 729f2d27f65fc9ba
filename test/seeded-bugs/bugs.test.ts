import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { proofs } from '../registry/crash/proofs.ts';
import { seededBugs } from './bugs.ts';
import { crashBugs } from './crash.ts';

const root = path.resolve(import.meta.dirname, '../..');

describe('the seeded bugs', () => {
  it.each(seededBugs)('$name still has its text to edit, once', ({ file, from, to }) => {
    expect(readFileSync(path.join(root, file), 'utf8').split(from)).toHaveLength(2);
    expect(to).not.toBe(from);
  });

  it('have names of their own, and those of a crash a proof each', () => {
    expect(new Set(seededBugs.map(({ name }) => name)).size).toBe(seededBugs.length);
    expect(Object.keys(proofs).sort()).toEqual(crashBugs.map(({ name }) => name).sort());
  });
});
