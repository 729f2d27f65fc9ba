import { describe, expect, it } from 'vitest';
import { gateHtml } from '../../src/gate/report-html.ts';
import { gateMarkdown } from '../../src/gate/report-markdown.ts';
import { recordOf } from './report-world.ts';

describe('[GAT-7] the report', () => {
  it('puts the verdict first, then numbers, then what the set cannot see', () => {
    const markdown = gateMarkdown(recordOf({ values: ['UA', 'AA', null] }));
    expect(markdown.startsWith('### 🟡 inconclusive: These rows cannot decide')).toBe(true);
    const places = [
      'leaves it to a person',
      '| metric | champion |',
      'cannot see a drop below',
      'Slices:',
    ].map((part) => markdown.indexOf(part));
    expect(places.every((place) => place > 0)).toBe(true);
    expect(places).toEqual(places.toSorted((a, b) => a - b));
    expect(markdown).toContain('`carrier = (missing)`');
    expect(markdown).toContain('sd of retraining');
  });

  it('fits a comment with 200 slices, and with any limit', () => {
    const values = Array.from(
      { length: 200 },
      (_, i) => `a rather long name of a slice, number ${i} ${'x'.repeat(100)}`,
    );
    const record = recordOf({ values, harm: 0.5 });
    expect(record.slices.length).toBe(600);
    const markdown = gateMarkdown(record);
    expect(markdown.length).toBeLessThanOrEqual(60_000);
    expect(markdown).toContain('more slices in report.html');
    expect(gateMarkdown(record, { limit: 6000 }).length).toBeLessThanOrEqual(6000);
    expect(gateMarkdown(record, { limit: 2500 })).toMatch(/^### 🔴 fail/);
    expect(gateHtml(record).length).toBeLessThan(1_000_000);
  });

  it('lets no name from the data become markup', () => {
    const values = ['@admin', '<img src=x>', 'a|b', '[x](javascript:1)', '`', 'https://evil.example'];
    const record = recordOf({ values, harm: 1 });
    expect(gateHtml(record)).not.toMatch(/<img|<script/);
    const outsideOfCode = gateMarkdown(record).replace(/(`+)(?!`).*?[^`]\1(?!`)/g, '');
    expect(outsideOfCode).not.toMatch(/<img|@admin|\]\(|https:\/\//);
    expect(outsideOfCode).toContain('worse where carrier is');
  });
});
