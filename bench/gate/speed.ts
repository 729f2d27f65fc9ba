/**
 * CPU seconds of the gate's statistics on one million rows, beside scikit-learn's and SciPy's on the same rows in the
 * same run. What is printed was measured: the reference's resample loops run fewer replicates, and say how many.
 *
 *   node bench/gate/speed.ts [--rows 1000000] [--repeats 5] [--python PATH]
 *
 * Without --python: `python3`. Without scikit-learn in it the reference's columns stay empty.
 */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { table } from '../../src/cli/terminal.ts';
import { judgeScores } from '../../src/gate/judge.ts';
import { GatePolicy } from '../../src/gate/policy.ts';
import { bootstrapCells, bootstrapUnits, randomBuckets, sumByUnit } from '../../src/stats/bootstrap.ts';
import { atThreshold } from '../../src/stats/classification.ts';
import { delong } from '../../src/stats/delong.ts';
import { cellMetric, jointCells } from '../../src/stats/joint-cells.ts';
import { seededRandom } from '../../src/stats/random.ts';
import { isUndefined, type Undefined } from '../../src/stats/undefined.ts';

const { values: options } = parseArgs({
  options: {
    rows: { type: 'string', default: '1000000' },
    repeats: { type: 'string', default: '5' },
    python: { type: 'string', default: 'python3' },
  },
});
const rows = Number(options.rows);
const repeats = Number(options.repeats);
const replicates = 10_000;
const ofReference = { f1: 3, mean: 30 };

interface Figure {
  diff: number;
  se?: number;
}
interface Measured extends Figure {
  seconds: number[];
}

function defined<T extends object>(value: T | Undefined): T {
  if (isUndefined(value)) throw new Error(value.detail);
  return value;
}

/** Labels and two correlated probabilities that share most of what they see. */
function world(): { y: Float64Array; a: Float64Array; b: Float64Array } {
  const random = seededRandom(4);
  const [y, a, b] = [new Float64Array(rows), new Float64Array(rows), new Float64Array(rows)];
  for (let i = 0; i < rows; i++) {
    const truth = random.uniform() < 0.3 ? 1 : 0;
    const shared = 0.6 * random.uniform() + 0.25 * truth;
    y[i] = truth;
    a[i] = shared + 0.15 * random.uniform();
    b[i] = shared + 0.14 * random.uniform();
  }
  return { y, a, b };
}

const { y, a, b } = world();
const hard = [atThreshold(a, 0.5), atThreshold(b, 0.5)] as const;
const loss = y.map((truth, i) => ((b[i] as number) - truth) ** 2 - ((a[i] as number) - truth) ** 2);

/** Ten metrics on 50 slices, as a gate judges them: estimate, interval, test, Holm. */
const slicePolicy = GatePolicy.parse({
  metrics: [
    ...['accuracy', 'auc', 'log_loss', 'brier', 'f1', 'precision', 'recall'],
    ...['balanced_accuracy', 'macro_f1', 'calibration_error'],
  ].map((metric) => ({ metric, margin: 0.01 })),
  slices: { by: ['slice'] },
});
const sliced = {
  rows,
  label: y,
  champion: a,
  candidate: b,
  clusters: null,
  losses: new Map(),
  slices: [
    {
      column: 'slice',
      values: Array.from({ length: 50 }, (_, i) => String(i)),
      codes: Int32Array.from(y, (_, i) => i % 50),
    },
  ],
};

/** Each from the row columns on: counting cells and filling buckets is part of the time. */
const tasks: Record<'f1' | 'mean' | 'delong' | 'slices', () => Figure> = {
  slices: () => {
    const { slices } = judgeScores(sliced, slicePolicy, new Map());
    const ofAuc = slices.filter(({ metric }) => metric === 'auc').map(({ diff }) => diff ?? Number.NaN);
    return { diff: ofAuc.reduce((sum, one) => sum + one, 0) / ofAuc.length };
  },
  f1: () => {
    const counts = jointCells({ y, a: hard[0], b: hard[1] });
    const statistic = (cells: Float64Array) => cellMetric('f1', cells, 'b') - cellMetric('f1', cells, 'a');
    const result = defined(bootstrapCells({ counts, strata: null, statistic, replicates, seed: 1 }));
    return { diff: result.observed, se: result.se };
  },
  mean: () => {
    const { codes, count } = randomBuckets(rows, 1);
    const units = sumByUnit([loss, new Float64Array(rows).fill(1)], codes, count);
    const statistic = ([sum = 0, n = 0]: Float64Array) => sum / n;
    const result = defined(bootstrapUnits({ units, statistic, replicates, seed: 1 }));
    return { diff: result.observed, se: result.se };
  },
  delong: () => {
    const { diff, se } = defined(delong({ y, a, b }));
    return { diff, se };
  },
};

function measure(task: () => Figure): Measured {
  task(); // compiled once before the clock runs
  const seconds: number[] = [];
  let figure: Figure = { diff: Number.NaN };
  for (let i = 0; i < repeats; i++) {
    const before = process.cpuUsage();
    figure = task();
    const { user, system } = process.cpuUsage(before);
    seconds.push((user + system) / 1e6);
  }
  return { ...figure, seconds };
}

/** The reference's figures, or null with the reason on standard error. */
async function reference(): Promise<Record<'f1' | 'mean' | 'auc' | 'delong' | 'slices', Measured> | null> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'modelgate-speed-'));
  try {
    for (const [name, column] of Object.entries({ y, a, b }))
      await writeFile(path.join(folder, `${name}.f64`), Buffer.from(column.buffer));
    const script = path.join(import.meta.dirname, 'reference.py');
    const numbers = [rows, repeats, ofReference.f1, ofReference.mean].map(String);
    const { stdout } = await promisify(execFile)(options.python, [script, folder, ...numbers]);
    return JSON.parse(stdout);
  } catch (error) {
    console.error(
      `no reference: ${error instanceof Error ? error.message.trim().split('\n').at(-1) : error}`,
    );
    return null;
  } finally {
    await rm(folder, { recursive: true });
  }
}

const own = {
  f1: measure(tasks.f1),
  mean: measure(tasks.mean),
  delong: measure(tasks.delong),
  slices: measure(tasks.slices),
};
const other = await reference();

/** `0.12 (0.11 to 0.14)`: the median of the repeats, and their range. */
const spread = ({ seconds }: { seconds: number[] }): string => {
  const sorted = [...seconds].sort((p, q) => p - q);
  const at = (i: number) => (sorted[i] as number).toPrecision(3);
  return `${at(Math.floor(sorted.length / 2))} (${at(0)} to ${at(sorted.length - 1)})`;
};
const task = (name: string, mine: Measured, theirs: [string, Measured | undefined]) => [
  name,
  spread(mine),
  theirs[0],
  theirs[1] === undefined ? '–' : spread(theirs[1]),
  mine.diff.toPrecision(10),
  theirs[1] === undefined ? '–' : theirs[1].diff.toPrecision(10),
  mine.se?.toPrecision(6) ?? '–',
  theirs[1]?.se?.toPrecision(6) ?? '–',
];
console.log(
  `${rows.toLocaleString('en')} rows, ${repeats} repeats, CPU seconds: median (least to most); node ${process.version}`,
);
console.log(
  table(
    ['task', 'ModelGate', 'reference', 'its CPU s', 'difference', "reference's", 'se', "reference's"],
    [
      task('F1, 10,000 bootstraps', own.f1, [`scikit-learn, ${ofReference.f1} resamples`, other?.f1]),
      task('mean, 10,000 bootstraps', own.mean, [`scikit-learn, ${ofReference.mean} resamples`, other?.mean]),
      task('AUC, DeLong', own.delong, ['SciPy rankdata, DeLong', other?.delong]),
      task('AUC, DeLong', own.delong, ['scikit-learn, two AUCs, no se', other?.auc]),
      task('10 metrics × 50 slices, judged', own.slices, [
        'scikit-learn, 9 metrics, values only',
        other?.slices,
      ]),
    ],
  ),
);
console.log(`peak resident memory ${Math.round(process.resourceUsage().maxRSS / 1024)} MiB`);
if (other !== null && Math.abs(own.delong.diff - other.delong.diff) > 1e-9) {
  console.error('the differences in AUC are not equal');
  process.exitCode = 1;
}
