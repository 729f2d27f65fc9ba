import { describe, expect, it } from 'vitest';
import { html, page } from '../../src/report/html.ts';
import { ticks } from '../../src/report/scale.ts';
import { renderStory } from '../../src/report/story.ts';
import { intervalPlot } from '../../src/report/svg.ts';
import { histogramPair, sharePairs } from '../../src/report/svg-distribution.ts';

const evil = '"><script>alert(1)</script><img src=x onerror=y>';

const share = { label: evil, reference: 0.5, current: 0, note: evil };
const sides = { reference: evil, current: evil };

describe('pages', () => {
  it('escape what enters a template, but not our own markup', () => {
    expect(html`<p>${evil}</p>`.markup).not.toContain('<script');
    expect(html`<ul>${[html`<li>${'a'}</li>`, null, 3]}</ul>`.markup).toBe('<ul><li>a</li>3</ul>');
  });

  it('send no request and run no script', () => {
    const story = renderStory({
      title: evil,
      subtitle: evil,
      sections: [
        {
          title: evil,
          verdict: evil,
          text: [evil, 'two\n  lines'],
          steps: [{ name: evil, verdict: 'fail', seconds: 1, text: evil }],
          table: { header: [evil], rows: [[evil]] },
          details: [{ title: evil, text: evil }],
          svg: [sharePairs({ title: evil, rows: [share], labels: sides })],
        },
      ],
    });
    for (const whole of [story, page({ title: evil, body: html`${evil}` })]) {
      expect(whole).toContain("default-src 'none'");
      expect(whole).not.toMatch(/<script|<img|<link|@import|url\(|(src|href)="(?!#)/i);
    }
    expect(story).toContain('two\n  lines');
  });
});

describe('drawings', () => {
  const row = {
    label: evil,
    low: -2,
    estimate: -1,
    high: 0,
    tone: 'fail' as const,
    note: evil,
    margin: null,
  };
  const drawings = (width: number) => [
    intervalPlot({ title: evil, rows: [row], margin: 1, axis: evil, width }),
    histogramPair({
      title: evil,
      edges: [0, 1, 2],
      reference: [1, 2],
      current: [0, 0],
      labels: sides,
      axis: evil,
      width,
    }),
    sharePairs({ title: evil, rows: [share], labels: sides, width }),
  ];

  it.each([720, 340])('stand alone, escaped, with finite numbers, %i wide', (width) => {
    for (const drawing of drawings(width)) {
      expect(drawing).toMatch(/^<svg xmlns/);
      expect(drawing).toContain('prefers-color-scheme:dark');
      expect(drawing).not.toMatch(/<script|<img|NaN|Infinity/);
    }
  });

  it('draw nothing wrong when all values are the same or none are there', () => {
    const flat = { ...row, low: 0, estimate: 0, high: 0 };
    for (const drawing of [
      intervalPlot({ title: 't', rows: [flat], margin: null, axis: 'a' }),
      intervalPlot({ title: 't', rows: [], margin: null, axis: 'a' }),
      sharePairs({ title: 't', rows: [{ label: 'a', reference: 0, current: 0, note: '' }], labels: sides }),
      histogramPair({ title: 't', edges: [3, 3], reference: [0], current: [0], labels: sides, axis: 'a' }),
    ]) {
      expect(drawing).not.toMatch(/NaN|Infinity/);
    }
  });

  it('mark round numbers', () => {
    expect(ticks(-0.07, 0.02, 4)).toEqual([-0.05, 0]);
    expect(ticks(0, 100, 5)).toEqual([0, 20, 40, 60, 80, 100]);
    expect(ticks(1, 1, 5)).toEqual([]);
  });
});
