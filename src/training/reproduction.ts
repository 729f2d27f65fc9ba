import type { EnvironmentRecord } from './environment.ts';

/** Largest relative difference of a metric between two trainings of one recipe, where the recipe names none. */
export const defaultTolerance = 1e-6;

/** What a training left, as far as a repetition can be compared with it. */
export interface TrainingRecord {
  metrics: Readonly<Record<string, number>>;
  environment: EnvironmentRecord;
}

export interface ReproducedMetric {
  metric: string;
  /** Null where one of the two trainings did not give it. */
  original: number | null;
  again: number | null;
  /** |original − again| / max(|original|, |again|); 0 when both are equal; null where one is missing. */
  difference: number | null;
  within: boolean;
}

/** A field that the two trainings do not share: `environment.python`, `packages.numpy`, `metrics.auc`. */
export interface DifferingField {
  field: string;
  original: string | null;
  again: string | null;
}

export interface Reproduction {
  /** Whether every metric is within the tolerance; other fields may differ all the same. */
  reproduced: boolean;
  metrics: ReproducedMetric[];
  /** What differs: the environment's fields first, then packages, then metrics beyond the tolerance. */
  differing: DifferingField[];
}

/** Compares a training with its repetition. The metrics decide; what else differs says where to look. */
export function compareTrainings(request: {
  original: TrainingRecord;
  again: TrainingRecord;
  /** Relative. */
  tolerance: number;
}): Reproduction {
  const { original, again, tolerance } = request;
  const metrics = union(original.metrics, again.metrics).map((metric) =>
    compareMetric({ metric, original: original.metrics, again: again.metrics, tolerance }),
  );
  const beyond = metrics
    .filter(({ within }) => !within)
    .map((one) => field(`metrics.${one.metric}`, one.original, one.again));
  return {
    reproduced: metrics.length > 0 && beyond.length === 0,
    metrics,
    differing: [...differingEnvironment(original.environment, again.environment), ...beyond],
  };
}

/** Largest |a − b| of two models' predictions of the same rows; NaN on one side alone is infinite. */
export function largestDifference(a: Float64Array, b: Float64Array): number {
  if (a.length !== b.length) return Number.POSITIVE_INFINITY;
  let largest = 0;
  for (const [row, value] of a.entries()) {
    const other = b[row] as number;
    if (Object.is(value, other)) continue;
    const difference = Math.abs(value - other);
    largest = Math.max(largest, Number.isNaN(difference) ? Number.POSITIVE_INFINITY : difference);
  }
  return largest;
}

function compareMetric(request: {
  metric: string;
  original: TrainingRecord['metrics'];
  again: TrainingRecord['metrics'];
  tolerance: number;
}): ReproducedMetric {
  const { metric, tolerance } = request;
  const original = request.original[metric] ?? null;
  const again = request.again[metric] ?? null;
  if (original === null || again === null) {
    return { metric, original, again, difference: null, within: false };
  }
  const size = Math.max(Math.abs(original), Math.abs(again));
  const difference = original === again ? 0 : Math.abs(original - again) / size;
  return { metric, original, again, difference, within: difference <= tolerance };
}

function differingEnvironment(original: EnvironmentRecord, again: EnvironmentRecord): DifferingField[] {
  const named = (['python', 'implementation', 'platform', 'lock'] as const)
    .filter((name) => original[name] !== again[name])
    .map((name) => field(`environment.${name}`, original[name], again[name]));
  const packages = union(original.packages, again.packages)
    .filter((name) => original.packages[name] !== again.packages[name])
    .map((name) => field(`packages.${name}`, original.packages[name], again.packages[name]));
  return [...named, ...packages];
}

function field(name: string, original: unknown, again: unknown): DifferingField {
  const text = (value: unknown) => (value === null || value === undefined ? null : String(value));
  return { field: name, original: text(original), again: text(again) };
}

function union(a: object, b: object): string[] {
  return [...new Set([...Object.keys(a), ...Object.keys(b)])].sort();
}
