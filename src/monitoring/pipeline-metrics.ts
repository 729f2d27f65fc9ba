import { codes } from '../codes.ts';
import type { ModelState } from '../registry/state.ts';
import type { MetricFamily } from '../report/metrics-text.ts';
import { mostRead, type ValidationRecord } from './validation-log.ts';

/** A model of the registry; `state` is null where its log cannot be read. */
export interface KnownModel {
  model: string;
  state: ModelState | null;
}

type Sample = MetricFamily['samples'][number];

/**
 * Quality of the pipeline's own work: how validations, gates and registrations ended, and what was moved. Counters come
 * from the registry's logs and never fall; validations come from stored outcomes, which are forgotten some day, so
 * they are gauges.
 */
export function pipelineMetrics(
  models: readonly KnownModel[],
  validations: readonly ValidationRecord[],
): MetricFamily[] {
  const states = models.flatMap(({ state }) => (state === null ? [] : [state]));
  const by = (count: (state: ModelState) => number): Sample[] =>
    states.map((state) => ({ labels: { model: state.model }, value: count(state) }));
  const environments = states.flatMap(({ model, environments: all }) =>
    [...all.values()].map((one) => ({ labels: { model, environment: one.name }, one })),
  );
  return [
    {
      ...{ name: 'modelgate_registry_readable', type: 'gauge' },
      help: '1 where the log of the model can be read, else 0.',
      samples: models.map(({ model, state }) => ({ labels: { model }, value: state === null ? 0 : 1 })),
    },
    {
      ...{ name: 'modelgate_registrations', type: 'counter' },
      help: 'Versions registered.',
      samples: by(({ versions }) => versions.length),
    },
    {
      ...{ name: 'modelgate_gate_verdicts', type: 'counter' },
      help: 'Versions registered, by the verdict of their gate.',
      samples: states.flatMap(({ model, versions }) =>
        (['pass', 'fail', 'inconclusive'] as const).map((verdict) => ({
          labels: { model, verdict },
          value: versions.filter((version) => version.verdict === verdict).length,
        })),
      ),
    },
    {
      ...{ name: 'modelgate_evaluations', type: 'counter' },
      help: 'Consultations of an evaluation set.',
      samples: by(({ consultations }) =>
        [...consultations.values()].reduce((sum, { count }) => sum + count, 0),
      ),
    },
    {
      ...{ name: 'modelgate_promotions', type: 'counter' },
      help: 'Promotions to an environment, those by an override too.',
      samples: by(({ overrides }) => overrides.promotions),
    },
    {
      ...{ name: 'modelgate_overrides', type: 'counter' },
      help: 'Promotions past a gate that did not pass.',
      samples: by(({ overrides }) => overrides.overrides),
    },
    {
      ...{ name: 'modelgate_rollbacks', type: 'counter' },
      help: 'Rollbacks of an environment.',
      samples: by(({ environments: all, overrides }) => movesOf(all) - overrides.promotions),
    },
    {
      ...{ name: 'modelgate_moves', type: 'counter' },
      help: 'Promotions and rollbacks, by environment.',
      samples: environments.map(({ labels, one }) => ({ labels, value: one.generation })),
    },
    {
      ...{ name: 'modelgate_environment_version', type: 'gauge' },
      help: 'The version that serves in an environment.',
      samples: environments.flatMap(({ labels, one }) =>
        one.version === null ? [] : [{ labels, value: one.version }],
      ),
    },
    {
      ...{ name: 'modelgate_environment_since_timestamp_seconds', type: 'gauge' },
      help: 'When an environment moved last.',
      samples: environments.flatMap(({ labels, one }) =>
        one.since === null ? [] : [{ labels, value: Date.parse(one.since) / 1000 }],
      ),
    },
    ...validationMetrics(validations),
  ];
}

/** The generation counts an environment's moves. */
const movesOf = (environments: ModelState['environments']): number =>
  [...environments.values()].reduce((sum, { generation }) => sum + generation, 0);

function validationMetrics(validations: readonly ValidationRecord[]): MetricFamily[] {
  const byModel = Map.groupBy(validations, ({ model }) => model);
  const newest = [...byModel].flatMap(([model, [first]]) => (first === undefined ? [] : [{ model, first }]));
  return [
    {
      ...{ name: 'modelgate_validations', type: 'gauge' },
      help: `Validations among the ${mostRead} newest that the store remembers, by verdict and class of failure.`,
      samples: [...byModel].flatMap(([model, records]) =>
        (['pass', 'warn', 'fail'] as const).map((verdict) => ({
          labels: {
            ...{ model, verdict },
            failure_class: verdict === 'fail' ? codes.contract_failed.class : 'none',
          },
          value: records.filter((record) => record.verdict === verdict).length,
        })),
      ),
    },
    {
      ...{ name: 'modelgate_validation_checks', type: 'gauge' },
      help: 'Rules of the newest validation, by verdict.',
      samples: newest.flatMap(({ model, first }) =>
        (['pass', 'warn', 'fail'] as const).map((verdict) => ({
          labels: { model, verdict },
          value: first.counts[verdict],
        })),
      ),
    },
    {
      ...{ name: 'modelgate_validation_timestamp_seconds', type: 'gauge' },
      help: 'When the newest validation was stored.',
      samples: newest.map(({ model, first }) => ({ labels: { model }, value: Date.parse(first.at) / 1000 })),
    },
  ];
}
