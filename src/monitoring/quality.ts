import type { SqlEngine } from '../data/engine.ts';
import type { SegmentInfo } from '../serving/log-schema.ts';
import { readPredictions } from '../serving/prediction-log.ts';
import type { Storage } from '../store/storage.ts';
import { conceptSignals, type LabelledPredictions } from './concept-signals.ts';
import type { Evidence } from './findings.ts';
import type { GateReader } from './gate-scores.ts';
import type { LabelSource, MonitoringPolicy } from './policy.ts';
import { readLabelled } from './served.ts';
import type { Signal } from './signal.ts';
import { silentFailureSignals } from './silent-failure.ts';

/** The view of the label file, once `measureQuality` has run. */
export const labelsView = 'labels';

export interface QualityOptions {
  engine: SqlEngine;
  storage: Storage;
  model: string;
  environment: string;
  since: Date;
  until: Date;
  segments: readonly SegmentInfo[];
  policy: MonitoringPolicy;
  task: 'classification' | 'regression';
  /** Null: none are configured, and nothing is measured. */
  labels: LabelSource | null;
  gateOf: GateReader;
  service: readonly Signal[];
}

export interface Quality {
  signals: Signal[];
  groups: LabelledPredictions[];
  labels: Evidence['labels'];
}

/** Measures what was served in a window by the labels that have come: against the floor, and against the gate. */
export async function measureQuality(options: QualityOptions): Promise<Quality> {
  const { engine, labels, policy } = options;
  if (labels === null) return { signals: [], groups: [], labels: null };
  await readPredictions({ ...options, view: 'labelled_window' });
  await engine.addFile(labelsView, labels.file);
  const groups = await readLabelled(engine, {
    predictions: 'labelled_window',
    labels: labelsView,
    source: labels,
  });
  return {
    signals: [...conceptSignals(groups, policy), ...(await silentFailureSignals(groups, options))],
    groups,
    labels: {
      labelled: groups.reduce((sum, group) => sum + group.label.length, 0),
      predictions: groups.reduce((sum, group) => sum + group.predictions, 0),
    },
  };
}

const worstTold = 5;

/** The labelled predictions that were most wrong, the worst first. */
export function worstOf(groups: readonly LabelledPredictions[]): Evidence['worst'] {
  return groups
    .flatMap((group) =>
      Array.from(group.label, (label, i) => ({
        key: group.keys[i] ?? '',
        label,
        prediction: group.prediction[i] as number,
      })),
    )
    .sort((a, b) => Math.abs(b.label - b.prediction) - Math.abs(a.label - a.prediction))
    .slice(0, worstTold);
}
