import { describe, expect, it } from 'vitest';
import { comparisonPlot, flipPlot, gatePlots, slicePlot } from '../../src/gate/plots.ts';
import { gateHtml } from '../../src/gate/report-html.ts';
import { figureWidth } from '../../src/report/html.ts';
import { palette } from '../../src/report/style.ts';
import { recordOf } from './report-world.ts';

const record = recordOf({ values: ['UA', 'AA', 'DL', 'B6', null, 'EV'], harm: 0.1 });

/** The x of each dot, from the top down. */
const dots = (svg: string) =>
  [...svg.matchAll(/<circle[^>]* cx="([\d.]+)"/g)].map((found) => Number(found[1]));

describe('[GAT-7] the drawings of the report', () => {
  it('stand alone as files, and the page shows the same', () => {
    const plots = gatePlots(record);
    expect(plots.map(({ file }) => file)).toEqual([
      'comparisons.svg',
      'slices.svg',
      'predictions.svg',
      'flips.svg',
    ]);
    const page = gateHtml(record);
    for (const { draw } of plots) {
      const svg = draw(figureWidth);
      expect(page.split(svg)).toHaveLength(2);
      expect(svg).toMatch(/^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg"/);
      expect(svg).toContain('prefers-color-scheme:dark');
      expect(svg).toContain('class="paper"');
      expect(svg).not.toMatch(/NaN|Infinity|<script|href|url\(/);
    }
    expect(page.match(/<svg /g)).toHaveLength(2 * plots.length);
  });

  it('show every comparison with a margin, in margins', () => {
    const plot = comparisonPlot(record);
    const svg = plot?.draw(figureWidth) ?? '';
    const metrics = record.checks.filter(({ kind }) => kind === 'metric');
    expect(dots(svg)).toHaveLength(metrics.length);
    const order = (values: readonly number[]) =>
      values.map((_, i) => i).sort((a, b) => (values[a] as number) - (values[b] as number));
    expect(order(dots(svg))).toEqual(order(metrics.map(({ diff, margin }) => (diff ?? 0) / (margin ?? 1))));
    expect(svg).toContain('>margin</text>');
  });

  it('name a comparison that has no margin and cannot be drawn with the others', () => {
    const checks = record.checks.map((check, index) => (index === 0 ? { ...check, margin: null } : check));
    const plot = comparisonPlot({ ...record, checks });
    expect(plot?.caption).toContain('Without a margin, and so not drawn: auc.');
    expect(dots(plot?.draw(figureWidth) ?? '')).toHaveLength(2);
    expect(comparisonPlot({ ...record, checks: [] })).toBeNull();
  });

  it('show slices by their difference, the greatest loss first', () => {
    const places = dots(slicePlot(record)?.draw(figureWidth) ?? '');
    expect(places).toHaveLength(15);
    expect(places).toEqual(places.toSorted((a, b) => a - b));
  });

  it('show flips of all rows and by slice, as shares that can be compared', () => {
    const svg = flipPlot(record)?.draw(figureWidth) ?? '';
    const bars = [...svg.matchAll(/<rect class="(fail|pass)"[^>]* width="([\d.]+)"/g)];
    const behaviour = record.behaviour;
    if (behaviour === null) throw new Error('the record has no behaviour');
    expect(bars).toHaveLength(2 * (1 + behaviour.slices.length));
    const net = ({ lost, gained }: { lost: number; gained: number }) => gained - lost;
    const drawn = [behaviour, ...behaviour.slices.toSorted((a, b) => net(a) - net(b))];
    const unit = Number(bars[0]?.[2]) / (behaviour.lost / behaviour.rows);
    drawn.forEach(({ lost, gained, rows }, index) => {
      expect(Number(bars[2 * index]?.[2])).toBeCloseTo((unit * lost) / rows, -0.5);
      expect(Number(bars[2 * index + 1]?.[2])).toBeCloseTo((unit * gained) / rows, -0.5);
    });
    expect(flipPlot({ ...record, behaviour: { ...behaviour, lost: 0, gained: 0 } })).toBeNull();
    expect(flipPlot({ ...record, behaviour: null })).toBeNull();
  });

  it('let no name from the data become markup, nor turn the text around', () => {
    const values = ['"/><script>alert(1)</script>', '</text><image href="x"/>', 'a\u202eb\nc', '&', "'"];
    for (const { draw } of gatePlots(recordOf({ values, harm: 0.3, column: '<g>' }))) {
      const svg = draw(figureWidth);
      expect(svg).not.toMatch(/<script|<image|\u202e|\n[^.<:@]/);
      // every & begins an entity, every < one of our own elements
      expect(svg).not.toMatch(/&(?!(amp|lt|gt|quot|#39);)/);
      expect([...svg.matchAll(/<\/?([a-z]+)/g)].map((found) => found[1])).not.toContain('image');
    }
  });

  it('can be read on light and on dark', () => {
    for (const colours of [...palette.matchAll(/:root\{([^}]*)\}/g)].map((found) =>
      colourMap(found[1] ?? ''),
    )) {
      const paper = colours.get('paper') ?? '';
      for (const name of ['ink', 'soft'])
        expect(contrast(colours.get(name) ?? '', paper)).toBeGreaterThan(4.5);
      for (const name of ['pass', 'fail', 'open', 'mute', 'two'])
        expect(contrast(colours.get(name) ?? '', paper)).toBeGreaterThan(3);
    }
  });
});

function colourMap(style: string): Map<string, string> {
  return new Map([...style.matchAll(/--(\w+):#(\w+)/g)].map((found) => [found[1] ?? '', found[2] ?? '']));
}

/** Contrast ratio by WCAG 2.2, 1 to 21; colours as 3 or 6 hexadecimal digits. */
function contrast(a: string, b: string): number {
  const luminance = (colour: string) => {
    const whole = colour.length === 3 ? [...colour].map((digit) => digit + digit).join('') : colour;
    const part = (at: number) => {
      const value = Number.parseInt(whole.slice(at, at + 2), 16) / 255;
      return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
    };
    return 0.2126 * part(0) + 0.7152 * part(2) + 0.0722 * part(4);
  };
  const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y) as [number, number];
  return (high + 0.05) / (low + 0.05);
}
