import { divergingBars, type IntervalRow, intervalPlot, type PlotTone } from '../report/svg.ts';
import { histogramPair } from '../report/svg-distribution.ts';
import type { Check } from './check.ts';
import type { SliceResult } from './checks/slices.ts';
import { formatDifference, formatInterval, plural } from './numbers.ts';
import type { GateRecord } from './record.ts';
import { comparisons, flipTitles, flipWords, sliceName, testedSlices } from './view.ts';

/** A drawing of the report: a file beside it, and a figure of the page. */
export interface GatePlot {
  /** Name of the file in the gate's manifest. */
  file: 'comparisons.svg' | 'slices.svg' | 'predictions.svg' | 'flips.svg';
  /** SVG of `width` pixels that stands alone. */
  draw: (width: number) => string;
  caption: string;
}

const mostRows = 15;

/** The drawings that a record has the numbers for. */
export function gatePlots(record: GateRecord): GatePlot[] {
  return [comparisonPlot, slicePlot, predictionPlot, flipPlot]
    .map((plot) => plot(record))
    .filter((plot) => plot !== null);
}

/** The intervals of all comparisons in units of their margins, so that metrics of any scale share one axis. */
export function comparisonPlot(record: GateRecord): GatePlot | null {
  const all = comparisons(record).filter(hasInterval);
  const drawn = all.filter(hasMargin);
  if (drawn.length === 0) return null;
  const left = all.filter((check) => !hasMargin(check)).map(({ title }) => title);
  return {
    file: 'comparisons.svg',
    draw: (width) =>
      intervalPlot({
        title: 'Difference of each metric in margins',
        rows: drawn.map((check) => ({ ...inMargins(check), label: check.title, tone: check.verdict })),
        margin: 1,
        axis: 'difference in margins; right is better',
        width,
      }),
    caption: `Each line is an interval of the difference, each dot the estimate. One step is one margin: the dashed line is the loss that the policy tolerates.${left.length === 0 ? '' : ` Without a margin, and so not drawn: ${left.join(', ')}.`}`,
  };
}

const sliceTones: Record<SliceResult['state'], PlotTone> = {
  harmed: 'fail',
  suspect: 'inconclusive',
  clear: 'neutral',
  blind: 'neutral',
  untested: 'neutral',
};

/** The most suspicious slices by their difference, the greatest loss first. */
export function slicePlot(record: GateRecord): GatePlot | null {
  const drawn = testedSlices(record).filter(hasInterval).slice(0, mostRows);
  if (drawn.length === 0) return null;
  const scaled = drawn.every(hasMargin);
  const rows = drawn
    .map((slice): IntervalRow => {
      const { diff, low, high } = slice;
      const place =
        scaled && hasMargin(slice) ? inMargins(slice) : { low, estimate: diff, high, margin: null };
      return {
        ...place,
        label: sliceName(slice),
        tone: sliceTones[slice.state],
        note: `${slice.metric} ${formatDifference(diff)}`,
      };
    })
    .sort((a, b) => a.estimate - b.estimate);
  return {
    file: 'slices.svg',
    draw: (width) =>
      intervalPlot({
        title: 'Differences in slices, the greatest loss first',
        rows,
        margin: scaled ? 1 : null,
        axis: scaled ? 'difference in margins; right is better' : 'difference; right is better',
        width,
      }),
    caption: `The ${plural(drawn.length, 'test')} with the smallest p by their difference, with intervals as they are before the correction.`,
  };
}

/** Both models' predictions, as shares of the rows. */
export function predictionPlot({ histogram }: GateRecord): GatePlot | null {
  if (histogram === null) return null;
  return {
    file: 'predictions.svg',
    draw: (width) =>
      histogramPair({
        title: 'Predictions on the evaluation set',
        edges: histogram.edges,
        reference: histogram.champion,
        current: histogram.candidate,
        labels: { reference: 'champion', current: 'candidate' },
        axis: 'prediction',
        width,
      }),
    caption: 'Share of rows in each bar.',
  };
}

/** Rows that changed in both directions, of all rows and of the slices with the greatest net change. */
export function flipPlot({ behaviour }: GateRecord): GatePlot | null {
  if (behaviour === null || behaviour.lost + behaviour.gained === 0) return null;
  const titles = flipTitles(behaviour);
  const net = ({ lost, gained }: { lost: number; gained: number }) => gained - lost;
  const slices = behaviour.slices
    .toSorted((a, b) => Math.abs(net(b)) - Math.abs(net(a)))
    .slice(0, mostRows)
    .sort((a, b) => net(a) - net(b));
  const share = (count: number, rows: number) => (100 * count) / rows;
  const rows = [
    { label: 'all rows', ...behaviour },
    ...slices.map((slice) => ({ label: sliceName(slice), ...slice })),
  ].map(({ label, rows, lost, gained }) => ({
    label,
    left: share(lost, rows),
    right: share(gained, rows),
    note: flipWords({ flips: { b: lost, c: gained } }) ?? '',
  }));
  return {
    file: 'flips.svg',
    draw: (width) =>
      divergingBars({
        title: 'Rows that changed, by slice',
        sides: { left: titles.lost, right: titles.gained },
        rows,
        axis: '% of the rows',
        width,
      }),
    caption:
      slices.length === 0
        ? 'Rows that changed, as a share of all rows.'
        : `Rows that changed, as shares of all rows and of ${plural(slices.length, 'slice')}, those with the greatest net change.`,
  };
}

interface Interval {
  low: number;
  diff: number;
  high: number;
}

function hasInterval<T extends Pick<Check, 'low' | 'diff' | 'high'>>(one: T): one is T & Interval {
  return [one.low, one.diff, one.high].every((value) => value !== null && Number.isFinite(value));
}

function hasMargin<T extends { margin: number | null }>(one: T): one is T & { margin: number } {
  return one.margin !== null && one.margin > 0;
}

function inMargins({ low, diff, high, margin }: Interval & { margin: number }) {
  return {
    low: low / margin,
    estimate: diff / margin,
    high: high / margin,
    note: formatInterval(low, high),
    margin: null,
  };
}
