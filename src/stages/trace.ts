import { z } from 'zod';
import { UserError } from '../errors.ts';
import { type Origin, traceOrigin } from '../lineage/trace.ts';
import { traceRow } from '../lineage/trace-row.ts';
import { Name } from '../names.ts';
import { requireModel } from '../registry/rules.ts';
import { findByRowKey, findPrediction } from '../serving/find-prediction.ts';
import { defineStage, type StageContext } from './define.ts';
import { spoolFolder } from './serve.ts';

const Snapshot = z.object({
  source: z.string(),
  digest: z.string(),
  rows: z.json(),
  window: z.json(),
  newest: z.json(),
});

const Backward = z.object({
  /** The logged prediction, less its inputs. */
  prediction: z.record(z.string(), z.json()),
  version: z.number(),
  run: z.record(z.string(), z.json()),
  commit: z.string().nullable(),
  snapshot: z.object({
    dataset: z.string().nullable(),
    split: z.string().nullable(),
    sources: z.array(Snapshot),
  }),
  features: z.record(z.string(), z.json()),
  /** Rows that the model was trained on. */
  rows: z.json(),
  trained_at: z.json(),
  lineage: z.array(z.object({ role: z.string(), kind: z.string(), digest: z.string() })),
});

const Forward = z.object({
  snapshots: z.array(Snapshot),
  versions: z.array(
    z.object({
      version: z.number(),
      model: z.string(),
      split: z.string(),
      parts: z.array(z.string()),
      trained_on: z.boolean(),
    }),
  ),
  /** Logged predictions for this row. */
  predictions: z.array(
    z.object({
      prediction_id: z.json(),
      environment: z.json(),
      version: z.json(),
      event_time: z.json(),
      arrived_at: z.json(),
      output: z.json(),
    }),
  ),
});

const Input = z.object({
  model: Name,
  id: z.string().min(1).max(128).nullable().default(null).describe('A prediction id, or a correlation id.'),
  row: z.string().min(1).max(200).nullable().default(null).describe('The key of a row, instead of an id.'),
  log_directory: z.string().nullable().default(null).describe('As that of `serve`, to find the newest ones.'),
});
type Input = z.infer<typeof Input>;

const predictionsShown = 100;

export const trace = defineStage({
  name: 'trace',
  description:
    'Goes from a prediction back to its model, run and data, or from a row forward to models and predictions.',
  inputs: Input,
  outputs: z.union([Backward, Forward]),
  cache: false,
  run: async (input, context) => {
    if ((input.id === null) === (input.row === null)) {
      throw new UserError({
        code: 'usage',
        message: 'trace takes a prediction id, or --row with a key.',
        where: 'trace',
        fix: 'Run `modelgate trace PREDICTION_ID` or `modelgate trace --row KEY`.',
      });
    }
    return input.id === null ? forward(input, input.row ?? '', context) : backward(input, input.id, context);
  },
});

async function backward(input: Input, id: string, context: StageContext) {
  const state = await context.registry.state(input.model);
  requireModel(state);
  const engine = await context.engine();
  try {
    const found = await findPrediction({
      id,
      ...where(input, [...state.environments.keys()], context),
      engine,
    });
    if (found === null) {
      throw new UserError({
        code: 'prediction_unknown',
        message: `No logged prediction of ${input.model} has the id ${JSON.stringify(id)}.`,
        where: context.store.storage.url,
        fix: 'Take prediction_ids or correlation_id of an answer; a server puts its log into the store each minute, and when it stops.',
      });
    }
    const { log, features } = found;
    const origin = await traceOrigin(context.store, String(log.manifest));
    return {
      verdict: 'pass' as const,
      reason_code: 'done' as const,
      summary: told(input.model, Number(log.version), origin),
      outputs: {
        prediction: log,
        version: Number(log.version),
        run: origin.run,
        commit: origin.commit,
        snapshot: { dataset: origin.dataset, split: origin.split, sources: origin.snapshots },
        features,
        rows: origin.rows,
        trained_at: origin.trainedAt,
        lineage: origin.lineage,
      },
    };
  } finally {
    await engine.close();
  }
}

async function forward(input: Input, key: string, context: StageContext) {
  const state = await context.registry.state(input.model);
  requireModel(state);
  const engine = await context.engine();
  try {
    const { snapshots, versions } = await traceRow({
      store: context.store,
      engine,
      versions: state.versions,
      key,
    });
    const logged = await findByRowKey({
      ...where(input, [...state.environments.keys()], context),
      engine,
      key,
      limit: predictionsShown,
    });
    const trained = versions.filter((version) => version.trained_on).map(({ version }) => version);
    const on =
      trained.length === 0 ? 'No version was trained on it' : `Trained on it: version ${trained.join(', ')}`;
    return {
      verdict: 'pass' as const,
      reason_code: 'done' as const,
      summary: `${on}; it stands in the splits of ${versions.length} versions and was predicted ${logged.length} times.`,
      outputs: {
        snapshots,
        versions,
        predictions: logged.slice(0, predictionsShown).map(({ log }) => ({
          prediction_id: log.prediction_id,
          environment: log.environment,
          version: log.version,
          event_time: log.event_time,
          arrived_at: log.arrived_at,
          output: log.output,
        })),
      },
    };
  } finally {
    await engine.close();
  }
}

function where(input: Input, environments: readonly string[], context: StageContext) {
  return {
    storage: context.store.storage,
    model: input.model,
    environments,
    spool: spoolFolder(input.log_directory, context),
  };
}

function told(model: string, version: number, origin: Origin): string {
  const commit = origin.commit === null ? 'no commit' : `commit ${origin.commit.slice(0, 12)}`;
  const sources = origin.snapshots.map(({ source, digest }) => `${source} ${digest.slice(0, 12)}`).join(', ');
  return `Version ${version} of ${model}, run ${origin.run.run}, ${commit}, trained on ${sources || 'no snapshot'}.`;
}
