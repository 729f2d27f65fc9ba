import { z } from 'zod';
import { Instant } from '../config/schema.ts';
import { identifier, type SqlEngine } from '../data/engine.ts';
import { instant } from '../data/time.ts';
import { UserError } from '../errors.ts';
import { power } from '../monitoring/detectable.ts';
import { MonitoringPolicy } from '../monitoring/policy.ts';
import { type ModelReference, readReference } from '../monitoring/reference.ts';
import { replayColumns } from '../monitoring/replay.ts';
import { selfTest } from '../monitoring/self-test.ts';
import { declareInputs, eventTime } from '../monitoring/served.ts';
import { openPair, type TablePair } from '../monitoring/tables.ts';
import { Name } from '../names.ts';
import { defineStage } from './define.ts';
import { requireDeployed } from './deployed.ts';

const FalseAlarms = z.object({
  windows: z.number().int(),
  alarms: z.number().int(),
  rate: z.number(),
  /** Wilson's 95 % interval of the rate. */
  low: z.number(),
  high: z.number(),
});

/** How often the monitoring of a model would be wrong, and what it could find: measured on its training rows. */
export const monitorSelfTest = defineStage({
  name: 'monitor-self-test',
  description:
    'Replays windows of the training rows as if nothing had drifted: how often the check would alarm, and the smallest shift it would find.',
  inputs: z.object({
    model: Name,
    environment: Name,
    /** Only the length of the window counts. */
    since: Instant,
    until: Instant,
    policy: MonitoringPolicy,
  }),
  outputs: z.object({
    /** Blocks of a window, and of all rows. */
    window_blocks: z.number().int(),
    blocks: z.number().int(),
    alpha: z.number(),
    /** Windows of blocks dealt at random: nothing drifted. */
    dealt: FalseAlarms,
    /** Past windows, one after the other, each against all other rows: what seasons add. */
    past: FalseAlarms,
    /** The smallest shift of each column that was found in a share `power` of the dealt windows. */
    smallest: z.array(
      z.object({
        name: z.string(),
        kind: z.enum(['numeric', 'categorical']),
        /** Null where no shift that was tried is found often enough. */
        value: z.number().nullable(),
        unit: z.enum(['sd', 'points']),
        /** The same in the column's own unit. */
        shift: z.number().nullable(),
      }),
    ),
    power: z.number(),
  }),
  cache: false,
  async run(inputs, context) {
    const { model, environment, policy } = inputs;
    const { manifest } = requireDeployed(await context.registry.state(model), environment);
    const day = 86_400_000;
    const days = Math.ceil((instant(inputs.until) - instant(inputs.since)) / day);
    const length = policy.block === 'week' ? Math.ceil(days / 7) : days;
    const reference = await readReference(context.store, manifest);
    const engine = await context.engine();
    try {
      const pair = await openTraining(engine, { reference, policy });
      const { blocks } = pair.reference;
      if (Math.min(length, blocks.length - length) < policy.minimum_blocks) {
        throw new UserError({
          code: 'data_empty',
          message: `${blocks.length} ${policy.block}s of training rows and a window of ${length}: a check needs ${policy.minimum_blocks} on each side.`,
          where: '--since, --until',
          fix: 'Take a window of another length, or a model that was trained on a longer time.',
        });
      }
      const told = selfTest({
        columns: await replayColumns(engine, pair, policy),
        blocks,
        length,
        policy,
        signal: context.signal,
      });
      const { dealt, past } = told;
      return {
        verdict: 'pass',
        reason_code: 'done',
        summary: `${dealt.alarms} of ${dealt.windows} windows without drift alarm (${percent(dealt.low)} to ${percent(dealt.high)}; alpha ${percent(policy.alpha)}); of past windows ${past.alarms} of ${past.windows}`,
        outputs: { ...told, power, window_blocks: length, blocks: blocks.length, alpha: policy.alpha },
      };
    } finally {
      await engine.close();
    }
  },
});

/** The training rows as the model sees them, beside an empty table. */
async function openTraining(
  engine: SqlEngine,
  { reference, policy }: { reference: ModelReference; policy: MonitoringPolicy },
): Promise<TablePair> {
  const time = policy.time ?? reference.time;
  if (time === null) {
    throw new UserError({
      code: 'config_invalid',
      message: 'The training rows have no column with their time.',
      where: 'monitoring.time',
      fix: 'Name it in modelgate.yaml: `monitoring: { time: COLUMN }`.',
    });
  }
  await engine.addFile('training', reference.trainFile, 'parquet');
  await declareInputs(engine, {
    view: 'reference_inputs',
    source: 'training',
    inputs: reference.inputs,
    time,
  });
  const relation = identifier('reference_inputs');
  return openPair(engine, {
    reference: relation,
    current: `(SELECT * FROM ${relation} WHERE FALSE)`,
    time: eventTime,
    unit: policy.block,
    columns: policy.columns,
    exclude: policy.exclude,
  });
}

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
