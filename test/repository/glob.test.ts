import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { matchesGlob } from '../../src/repository/glob.ts';

/** The same meaning by a regular expression, which a stranger's pattern could make very slow. */
function asRegExp(pattern: string): RegExp {
  const segments = pattern
    .split('/')
    .map((segment) =>
      segment === '**'
        ? null
        : [...segment]
            .map((one) =>
              one === '*' ? '[^/]*' : one === '?' ? '[^/]' : one.replace(/[\\^$.|+()[\]{}]/, '\\$&'),
            )
            .join(''),
    );
  // each segment ends with a slash, here and in the path
  return new RegExp(`^${segments.map((one) => (one === null ? '(?:[^/]*/)*' : `${one}/`)).join('')}$`, 'su');
}

describe('matchesGlob', () => {
  it.each([
    ['shared/**', 'shared/a/b.py', true],
    ['shared/*.py', 'shared/a/b.py', false],
    ['**/modelgate.yaml', 'modelgate.yaml', true],
    ['**/modelgate.yaml', 'a/b/modelgate.yaml', true],
    ['**/modelgate.yaml', 'a/xmodelgate.yaml', false],
    ['models/*/features.sql', 'models/a/features.sql', true],
    ['a/**/b/**/c', 'a/x/b/y/b/c', true],
    ['data/2024-??.csv', 'data/2024-01.csv', true],
    ['[ab]{c,d}.(x|y)+$', '[ab]{c,d}.(x|y)+$', true],
    ['[ab]', 'a', false],
  ])('%s and %s', (pattern, file, expected) => {
    expect(matchesGlob(pattern, file)).toBe(expected);
  });

  it('agrees with regular expressions on any pattern and path', () => {
    const piece = fc.constantFrom('a', 'b', '.', '(', '*', '?', '**', '/', '/', '\n', '🚀');
    const text = (atoms: fc.Arbitrary<string>) =>
      fc.array(atoms, { maxLength: 12 }).map((parts) => parts.join(''));
    const path = text(fc.constantFrom('a', 'b', '.', '(', '/', '/', '\n', '🚀'));
    fc.assert(
      fc.property(text(piece), path, (pattern, file) => {
        expect(matchesGlob(pattern, file)).toBe(asRegExp(pattern).test(`${file}/`));
      }),
      { seed: 8, numRuns: 3000 },
    );
  });

  it('ends soon on a pattern that makes regular expressions hang', () => {
    const pattern = `${'**/*a'.repeat(80)}b`;
    expect(matchesGlob(pattern, `${'a/'.repeat(2000)}a`)).toBe(false);
    expect(matchesGlob(`${'*a'.repeat(200)}b`, 'a'.repeat(4000))).toBe(false);
  });
});
