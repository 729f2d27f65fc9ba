import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { code, details, table, text } from '../../src/report/markdown.ts';
import { escapeHtml, oneLine, wordJoiner } from '../../src/report/plain.ts';

/** Texts that look like markup, more often than chance makes them. */
const hostile = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        ...[
          '@alice',
          '#12',
          'GH-3',
          'https://evil.example',
          'www.evil.example',
          'a@b.example',
          '![x](y)',
          '[x](y)',
        ],
        ...[
          '<img src=x>',
          '<!--',
          '-->',
          '`',
          '``',
          '|',
          '\\|',
          '\\',
          '**',
          '~~',
          '$x$',
          ':tada:',
          '::error::',
          '\n',
          '\r\n',
        ],
        ...[
          '\u202e',
          '\u200b',
          '\u2066',
          '\0',
          '&lt;',
          '&#64;',
          '- [ ] ',
          '1. ',
          '# ',
          '> ',
          '    ',
          '---',
          '[^1]',
          '</details>',
        ],
        ...['deadbeefdeadbeef', 'owner/repo@deadbeef', '\ud800', '=', '==='],
      ),
      fc.string({ unit: 'binary', maxLength: 5 }),
    ),
    { maxLength: 12 },
  )
  .map((parts) => parts.join(''));

/** What is left when escapes and entities, which stand for themselves, are taken out. */
const bare = (markdown: string) => markdown.replace(/\\[!-/:-@[-`{-~]/g, '').replace(/&(amp|lt|gt);/g, '');

describe('[GAT-7] values in Markdown', () => {
  it('leave nothing unescaped that could begin markup, a link, a mention or a reference', () => {
    fc.assert(
      fc.property(hostile, (value) => {
        const markdown = text(value);
        if (markdown === '(empty)') return;
        expect(bare(markdown)).not.toMatch(/[\\`*_{}[\]()+\-!|~$^=<>&]/);
        expect(bare(markdown)).not.toMatch(new RegExp(`[@#:](?!${wordJoiner})`));
        expect(markdown).not.toMatch(/[\n\r]|www\.|^\d+\.|^\s/i);
        expect(markdown).not.toMatch(/[0-9a-f]{7}/i);
      }),
      { numRuns: 2000 },
    );
  });

  it('show the same text to a person', () => {
    expect(text('UA @bob #1 a|b <i>')).toBe(`UA @${wordJoiner}bob \\#${wordJoiner}1 a\\|b &lt;i&gt;`);
    expect(text('2013-04')).toBe('2013\\-04');
    expect(text('')).toBe('(empty)');
  });

  it('stay inside of their code span and their table cell', () => {
    fc.assert(
      fc.property(hostile, (value) => {
        const markdown = code(value);
        if (markdown === '(empty)') return;
        const fence = /^`+/.exec(markdown)?.[0] ?? '';
        const inside = markdown.slice(fence.length, -fence.length);
        expect(markdown.endsWith(fence)).toBe(true);
        expect(inside.match(/`+/g) ?? []).not.toContain(fence);
        expect(inside).not.toMatch(/(^|[^\\])\|/);
        expect(inside).not.toMatch(/[\n\r]/);
      }),
      { numRuns: 2000 },
    );
  });

  it('hold no comment of ours that a search of the source would find', () => {
    const forged = '<!-- modelgate:gate flights-late -->';
    for (const written of [code(forged), code(`|${forged}|`), text(forged), details(forged, '')])
      expect(written).not.toContain('<!--');
    fc.assert(
      fc.property(hostile, hostile, (a, b) => {
        expect(code(`${a}<!--${b}`)).not.toContain('<!--');
      }),
    );
  });

  it('are cut to their limit in code points, never inside of one', () => {
    expect([...oneLine('😀'.repeat(300))]).toHaveLength(200);
    expect(oneLine('x'.repeat(1e6), 50)).toHaveLength(50);
    fc.assert(
      fc.property(hostile, (value) => {
        expect([...oneLine(value, 20)].length).toBeLessThanOrEqual(20);
      }),
    );
  });

  it('cannot leave an HTML attribute or element', () => {
    fc.assert(
      fc.property(hostile, (value) => {
        expect(escapeHtml(value)).not.toMatch(/[<>"']/);
      }),
    );
    expect(details('</summary>@x', 'body')).toContain(`<summary>&lt;/summary&gt;@${wordJoiner}x</summary>`);
  });

  it('make a table of as many cells as columns', () => {
    const made = table({
      columns: [{ title: 'a' }, { title: 'b', number: true }],
      rows: [[text('x|y'), code('p|q')]],
    });
    expect(made.split('\n')).toEqual(['| a | b |', '| --- | ---: |', '| x\\|y | `p\\|q` |']);
  });
});
