import type { Nodes } from 'mdast';
import remarkGfm from 'remark-gfm';
import remarkParse from 'remark-parse';
import { unified } from 'unified';
import { describe, expect, it } from 'vitest';
import { gateHtml } from '../../src/gate/report-html.ts';
import { gateMarkdown } from '../../src/gate/report-markdown.ts';
import { code, text } from '../../src/report/markdown.ts';
import { wordJoiner } from '../../src/report/plain.ts';
import { seededRandom } from '../../src/stats/random.ts';
import { recordOf } from './report-world.ts';

const parser = unified().use(remarkParse).use(remarkGfm);

/** All nodes of what GitHub's flavour of Markdown makes of a text. */
function nodesOf(markdown: string): Nodes[] {
  const all: Nodes[] = [];
  const visit = (node: Nodes) => {
    all.push(node);
    if ('children' in node) for (const child of node.children) visit(child);
  };
  visit(parser.parse(markdown));
  return all;
}

const markup = [
  'html',
  'link',
  'linkReference',
  'definition',
  'image',
  'imageReference',
  'footnoteReference',
  'footnoteDefinition',
];
const ours = (nodes: readonly Nodes[], type: string) => nodes.filter((node) => node.type === type).length;

/** What GitHub links after it has parsed: outside of code, @name, #1, GH-1, owner/name#1 and commit hashes. */
function mentions(nodes: readonly Nodes[]): string[] {
  return nodes
    .filter((node) => node.type === 'text')
    .flatMap(({ value }) => value.match(/@[\w-]+|#\d+|\bGH-\d+|\b[0-9a-f]{7,40}\b/gi) ?? []);
}

const pieces = [
  ...[
    '@alice',
    '@org/team',
    '#12',
    'GH-3',
    'o/r#4',
    'https://evil.example',
    'www.evil.example',
    'a@b.example',
  ],
  ...[
    '![x](y)',
    '[x](y)',
    '[x][y]',
    '[x]: y',
    '[^1]',
    '[^1]: y',
    '<img src=x>',
    '<script>',
    '<!--',
    '-->',
    '<a href=x>',
  ],
  ...[
    '</details>',
    '</summary>',
    '```',
    '~~~',
    '`',
    '``',
    '|',
    '\\|',
    '\\',
    '\\`',
    '**',
    '__',
    '~~',
    '$x$',
    ':tada:',
  ],
  ...[
    '\n',
    '\r\n',
    '\n\n',
    '\u2028',
    '\u202e',
    '\u200b',
    '\0',
    '\ud800',
    '&lt;img&gt;',
    '&#64;bob',
    '&#x3c;b>',
  ],
  ...[
    '- [ ] ',
    '1. ',
    '# ',
    '> ',
    '    ',
    '---',
    '===',
    '| --- |',
    'deadbeefdeadbeef',
    'mailto:a@b.example',
    'xmpp:a@b.c',
  ],
  ...['<https://evil.example>', '<a@b.example>', 'ftp://evil.example', 'HTTP://EVIL.EXAMPLE', 'é', '😀', 'x'],
];

/** Seeded texts of a few pieces each, that read like markup. */
function hostileTexts(count: number): string[] {
  const random = seededRandom(4);
  const pick = () => pieces[Math.floor(random.uniform() * pieces.length)] as string;
  const text = () => Array.from({ length: 1 + Math.floor(random.uniform() * 6) }, pick);
  return Array.from({ length: count }, (_, index) => text().join(index % 3 === 0 ? ' ' : ''));
}

const texts = hostileTexts(2000);

describe('[GAT-7] values from data, read by a parser of GitHub Markdown', () => {
  it('the parser would see what they try', () => {
    const nodes = texts.flatMap(nodesOf);
    for (const type of ['html', 'link', 'image']) expect(ours(nodes, type)).toBeGreaterThan(20);
    expect(mentions(nodes).length).toBeGreaterThan(100);
  });

  it('2,000 hostile texts: no html, link, image or mention, alone and in tables', () => {
    for (const value of texts) {
      const cells = `| a | b |\n| --- | --- |\n| ${text(value)} | ${code(value)} |`;
      for (const markdown of [text(value), code(value), cells]) {
        const nodes = nodesOf(markdown);
        const found = nodes.filter((node) => markup.includes(node.type)).map((node) => node.type);
        expect({ value, found: [...found, ...mentions(nodes)] }).toEqual({ value, found: [] });
      }
      expect(ours(nodesOf(cells), 'tableCell')).toBe(4);
      expect(ours(nodesOf(cells), 'inlineCode') + Number(code(value) === '(empty)')).toBe(1);
    }
  });

  it('in a whole report: the markup is that of a report of plain words', () => {
    const plain = nodesOf(gateMarkdown(recordOf({ values: ['UA', 'AA', 'B6'], rows: 300 })));
    for (let at = 0; at < 40; at += 1) {
      const [name = '', ...values] = texts.slice(at * 4, at * 4 + 4);
      const record = recordOf({ values, rows: 300, name });
      const nodes = nodesOf(gateMarkdown({ ...record, reasons: [...record.reasons, name] }));
      for (const type of markup)
        expect([name, type, ours(nodes, type)]).toEqual([name, type, ours(plain, type)]);
      expect(mentions(nodes)).toEqual([]);
    }
  });
});

describe('[GAT-7] a report that must be cut', () => {
  const values = Array.from({ length: 200 }, (_, index) => `${texts[index]} ${index}`);
  const record = recordOf({ values, harm: 0.4, rows: 12_000 });

  it.each([60_000, 30_000, 12_000, 6000, 3000])(
    'at %i characters closes what it opens and keeps its marker',
    (limit) => {
      const markdown = gateMarkdown(record, { limit });
      const nodes = nodesOf(markdown);
      const markup = nodes.flatMap((node) => (node.type === 'html' ? [node.value] : [])).join(' ');
      const count = (part: string) => markup.split(part).length - 1;
      expect(markdown.length).toBeLessThanOrEqual(limit);
      expect(count('<details>')).toBe(count('</details>'));
      expect(count('<summary>')).toBe(count('</summary>'));
      expect(markdown).toMatch(/^### 🔴 fail/);
      expect(markdown.endsWith('<!-- modelgate:gate flights-late -->')).toBe(true);
      const tables = nodes.filter((node) => node.type === 'table');
      for (const { children } of tables)
        for (const row of children) expect(row.children.length).toBe(children[0]?.children.length);
    },
  );
});

describe('the report says', () => {
  const markdown = gateMarkdown(recordOf({ values: ['UA', 'AA'], noise: false, rows: 60_000 }));

  it('the next command of a candidate that passes', () => {
    expect(markdown).toContain('`/promote flights-late to staging`');
    expect(markdown).toContain('`modelgate promote flights-late --to staging`');
  });

  it('what changed, and which rows', () => {
    expect(markdown).toContain('| rows of data | `26,398` | `80,789` |');
    expect(markdown).toContain('| features added | `–` | `carrier_delay_7d, LGA` |');
    expect(markdown).toContain('| code \\(train.py, LGA.py\\) | `111111111111` | `222222222222` |');
    expect(markdown).toMatch(
      /\d went from right to wrong and [\d,]+ from wrong to right, of 60,000 rows; net/,
    );
    expect(markdown).toContain(`withheld:${wordJoiner} personal`);
  });

  it('how often all comparisons together stop a model that is as good', () => {
    const words =
      /3 comparisons and the slices as one, each at 5 %:.* together they .* in at most 20 % of cases/;
    expect(gateMarkdown(recordOf({ values: ['UA', 'AA'], rows: 4000 }))).toMatch(words);
  });

  it('[EVA-7] the audit of groups, what did not pass first', () => {
    const one = {
      ...{ column: 'sex', value: 'a', reference: 'b', measure: 'selection_ratio' as const, n: 400 },
      ...{ rate: 0.5, reference_rate: 0.6, estimate: 0.83, low: 0.7, high: 0.97, p: 0.5, p_holm: 1 },
      ...{ verdict: 'pass' as const, detail: null },
    };
    const fairness = [one, { ...one, value: 'c', measure: 'tpr_gap' as const, verdict: 'fail' as const }];
    const record = { ...recordOf({ values: ['UA', 'AA'], rows: 300 }), fairness };
    const rows = gateMarkdown(record)
      .split('\n')
      .filter((line) => line.startsWith('| `sex'));
    expect(rows.map((row) => row.replaceAll('\\', ''))).toEqual([
      '| `sex = c against b` | TPR gap | 400 | 50 % | 60 % | 0.830 | [0.700, 0.970] | 🔴 fail |',
      '| `sex = a against b` | selection ratio | 400 | 50 % | 60 % | 0.830 | [0.700, 0.970] | 🟢 pass |',
    ]);
    expect(gateHtml(record)).toContain('<h2>Fairness</h2>');
  });

  it('[EVA-6] how often the set was asked, unless a check of the budget says it', () => {
    const record = recordOf({ values: ['UA', 'AA'], rows: 300 });
    const asked = { ...record, consultations: { count: 3, budget: 50, bound: 0.15, worn_at: 20 } };
    expect(gateMarkdown(asked)).toContain('Consultation 3 of 50 of this evaluation set');
    expect(gateMarkdown(record)).not.toContain('Consultation');
  });
});
