import { z } from 'zod';
import { identifier, type SqlEngine } from '../data/engine.ts';
import { estimateCandidate, type MetricRows, type SingleEstimate } from '../gate/metrics.ts';
import { type Digest, parseJson } from '../json.ts';
import { type Clusters, encodeClusters } from '../stats/influence.ts';
import type { Undefined } from '../stats/undefined.ts';
import type { Store } from '../store/store.ts';
import { oncePerVersion } from './once-per-version.ts';
import { type MonitoringPolicy, WatchedMetric } from './policy.ts';
import { clusterDay } from './served.ts';

/** A metric and the probability from which a row counts as positive. */
export interface MetricChoice {
  metric: WatchedMetric;
  threshold: number;
}

/** The predictions with which a version passed its gate, in files of this machine. */
export interface GateEvaluation {
  /** Columns key, label, candidate and perhaps cluster. */
  file: string;
  /** Columns of key and features; null where the evaluation kept none. */
  features: string | null;
  /** The gate's first metric that can be watched; null without. */
  metric: MetricChoice | null;
}

/** Labels and predictions of a version's gate, one a row. */
export interface GateScores extends Pick<GateEvaluation, 'metric'> {
  label: Float64Array;
  candidate: Float64Array;
  clusters: Clusters | null;
  /** Whether the clusters are days. */
  daily: boolean;
}

const GateMetrics = z.looseObject({
  metrics: z
    .array(
      z.looseObject({ metric: z.string(), role: z.string().optional(), threshold: z.number().optional() }),
    )
    .max(1000),
});

/** The metric that a gate's policy names first as primary, or first of all, if it is one that is watched. */
export async function gateMetric(store: Store, policy: Digest): Promise<MetricChoice | null> {
  const parsed = GateMetrics.safeParse(
    parseJson((await store.readBytes(policy, 4_000_000)).toString('utf8'), 4_000_000),
  );
  const known = (parsed.data?.metrics ?? []).flatMap(({ metric, role, threshold = 0.5 }) => {
    const name = WatchedMetric.safeParse(metric);
    return name.success && role !== 'information' ? [{ metric: name.data, role, threshold }] : [];
  });
  const first = known.find(({ role }) => role === 'primary') ?? known[0];
  return first === undefined ? null : { metric: first.metric, threshold: first.threshold };
}

/** What is watched of a version: the configured metric, else its gate's, else F1 or the mean absolute error. */
export function watchedMetric(
  policy: MonitoringPolicy,
  gate: Pick<GateScores, 'metric'>,
  task: 'classification' | 'regression',
): MetricChoice {
  const { threshold } = policy.prediction;
  if (policy.metric !== undefined) return { metric: policy.metric.name, threshold };
  return gate.metric ?? { metric: task === 'classification' ? 'f1' : 'mae', threshold };
}

export type GateReader = (version: number) => Promise<GateScores | null>;

/** Reads the gate's predictions of a version once; null where it was registered without. */
export function gateReader(
  engine: SqlEngine,
  evaluationOf: (version: number) => Promise<GateEvaluation | null>,
): GateReader {
  return oncePerVersion(async (version) => {
    const found = await evaluationOf(version);
    return found && readScores(engine, found);
  });
}

async function readScores(engine: SqlEngine, { file, metric }: GateEvaluation): Promise<GateScores> {
  const view = 'gate_scores';
  await engine.addFile(view, file, 'parquet');
  const day = await clusterDay(engine, view);
  const columns = await engine.describe(`SELECT * FROM ${view}`);
  const clustered = columns.some(({ name }) => name === 'cluster');
  const cluster = clustered ? `CAST(${day ?? identifier('cluster')} AS VARCHAR)` : 'NULL';
  const [label, candidate, keys] = await engine.columns(
    `SELECT CAST(label AS DOUBLE) AS label, CAST(candidate AS DOUBLE) AS candidate, CAST(${cluster} AS VARCHAR) AS cluster
     FROM ${view} WHERE label IS NOT NULL AND candidate IS NOT NULL ORDER BY key`,
  );
  return {
    label: label?.values as Float64Array,
    candidate: candidate?.values as Float64Array,
    clusters: clustered ? encodeClusters(keys?.values as (string | null)[]) : null,
    daily: day !== null,
    metric,
  };
}

/** A metric of one model on labelled rows. */
export function estimateMetric(
  choice: MetricChoice,
  rows: Pick<MetricRows, 'label' | 'candidate' | 'clusters'>,
): SingleEstimate | Undefined {
  return estimateCandidate(choice, { ...rows, champion: null, losses: undefined });
}
