import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const page = readFileSync('docs/security.md', 'utf8');
const table = page.slice(page.indexOf('<!-- threats: begin -->'), page.indexOf('<!-- threats: end -->'));
const rows = table
  .split('\n')
  .filter((line) => line.startsWith('| '))
  .slice(1)
  .map((line) => line.split('|').map((cell) => cell.trim()));

/** Whether a file has a test or a group of tests with this name; ids of requirements before it are left out. */
function names(file: string, name: string): boolean {
  return existsSync(file) && testNames(readFileSync(file, 'utf8')).some((known) => known.startsWith(name));
}

function testNames(text: string): string[] {
  return [...text.matchAll(/^\s*(?:it|test|describe)\b[^'"`\n]*\(\s*(['"`])((?:\\.|(?!\1)[^\\])*)\1/gm)].map(
    ([, , name = '']) => name.replace(/^(\[[A-Z0-9, -]+\]\s*)+/, ''),
  );
}

describe('the threat table of docs/security.md', () => {
  it.each(rows.map(([, threat = '', defence = '', shown = '']) => [threat, defence, shown] as const))(
    '%s',
    (_, defence, shown) => {
      expect(defence).not.toBe('');
      const tests = [...shown.matchAll(/(test\/[\w./-]+\.ts): "([^"]+)"(?:; |$)/g)];
      expect(tests.map(([whole]) => whole).join('')).toBe(shown);
      for (const [, file = '', name = ''] of tests) expect(names(file, name), `${file}: ${name}`).toBe(true);
    },
  );

  it('has them all, and would miss a test that is gone', () => {
    expect(rows.length).toBeGreaterThan(20);
    expect(names('test/visible.test.ts', 'never reaches a sentence')).toBe(true);
    expect(names('test/visible.test.ts', 'a test that nobody wrote')).toBe(false);
    expect(names('test/gone.test.ts', 'anything')).toBe(false);
  });
});
