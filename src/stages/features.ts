import { mkdtemp, rm } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { FeatureDefinition, Known } from '../data/definition.ts';
import { identifier } from '../data/engine.ts';
import { checkKey, checkLabel, checkValues, dropUnlabelled } from '../data/feature-checks.ts';
import { computeFeatures } from '../data/features.ts';
import { type JoinReport, reportJoins } from '../data/joins.ts';
import { asJson, putFiles, putJson } from '../data/manifests.ts';
import { checkPointInTime, type PointInTimeReport } from '../data/point-in-time.ts';
import { datasetFiles } from '../data/snapshot.ts';
import { UserError } from '../errors.ts';
import { Digest } from '../json.ts';
import { Name } from '../names.ts';
import type { Store } from '../store/store.ts';
import { defineStage, type StageContext } from './define.ts';

const moment = z.string().min(1).max(40).nullable();

const FeaturesInput = z.object({
  dataset: Digest,
  /** Code with the file features.sql. */
  code: Digest,
  definition: FeatureDefinition,
  known: z.record(Name, Known),
  /** Rows predicted in [time_from, time_until) are kept. */
  time_from: moment,
  time_until: moment,
});
type FeaturesInput = z.infer<typeof FeaturesInput>;

/** Snapshots and one SELECT → rows of key, time, label, kept columns and features. */
export const features = defineStage({
  name: 'features',
  description: 'Makes the features with the SQL of the repository, and checks that none knows the future.',
  inputs: FeaturesInput,
  outputs: z.object({ features: Digest, rows: z.number().int() }),
  cache: { version: 1 },
  async run(input, context) {
    const folder = await mkdtemp(path.join(context.workDirectory, 'features-'));
    try {
      return await makeFeatures(input, context, folder);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
});

async function makeFeatures(input: FeaturesInput, context: StageContext, folder: string) {
  const { store, logger } = context;
  const { definition } = input;
  const timings: Record<string, number> = {};
  const timed = async <T>(part: string, work: Promise<T>): Promise<T> => {
    const started = performance.now();
    const result = await work;
    timings[part] = Math.round(performance.now() - started) / 1000;
    return result;
  };
  const sources = await datasetFiles(store, input.dataset);
  const names = Object.keys(sources);
  const sql = await readSql(store, input.code);
  const engine = await context.engine();
  try {
    const request = {
      engine,
      sources,
      sql,
      definition,
      timeFrom: input.time_from,
      timeUntil: input.time_until,
    };
    const table = await timed('compute', computeFeatures(request));
    if (table.rows === 0) throw noRows(input);
    await checkKey(engine, table);
    const dropped = await checkLabel(engine, table);
    const joins = await reportJoins({ engine, joins: definition.joins, sources: names });
    for (const join of joins) if (join.lost > 0) logger.warn(toldJoin(join));
    const point_in_time = await timed(
      'point_in_time',
      checkPointInTime({ ...request, ...table, sources: names, known: input.known }),
    );
    await dropUnlabelled(engine, table);
    if (dropped > 0) logger.info(`${dropped} rows have no label and are left out`);
    const rows = table.rows - dropped;
    const values = await checkValues(engine, { ...table, rows });
    const file = path.join(folder, 'features.parquet');
    const order = [definition.time, definition.key].filter((name) => name !== undefined).map(identifier);
    await engine.writeParquet(`SELECT * FROM ${identifier(table.table)} ORDER BY ${order.join(', ')}`, file);
    const report = { rows, rows_without_label: dropped, joins, point_in_time, features: values };
    const digest = await store.putManifest({
      kind: 'features',
      files: [
        ...(await putFiles(store, { 'features.parquet': file })),
        await putJson(store, 'report.json', report),
      ],
      inputs: { dataset: input.dataset, code: input.code },
      facts: {
        rows,
        rows_without_label: dropped,
        columns: table.columns,
        definition: asJson(definition),
        known: asJson(input.known),
        joins: asJson(joins),
        point_in_time: asJson(point_in_time),
      },
      producer: context.producer,
    });
    return {
      verdict: 'pass' as const,
      reason_code: 'done' as const,
      summary: toldSummary({ rows, dropped, features: values.length, joins, point_in_time }),
      outputs: { features: digest, rows },
      timings,
    };
  } finally {
    await engine.close();
  }
}

async function readSql(store: Store, code: Digest): Promise<string> {
  const manifest = await store.readManifest(code, 'code');
  return (await store.readBytes(store.file(manifest, 'features.sql').sha256, 1_000_000)).toString('utf8');
}

function noRows(input: FeaturesInput): UserError {
  const window =
    input.time_from === null && input.time_until === null
      ? ''
      : ` predicted from ${input.time_from ?? 'the start'} until ${input.time_until ?? 'the end'}`;
  return new UserError({
    code: 'data_empty',
    message: `The feature SQL gives no rows${window}.`,
    where: 'features.sql',
    fix: 'Check its conditions and joins, and `data.window` in modelgate.yaml.',
  });
}

function toldJoin({ from, to, rows, lost, examples }: JoinReport): string {
  return `${from} → ${to}: ${lost} of ${rows} rows find no partner (${examples.map(([value, n]) => `${String(value)} ${n}`).join(', ')})`;
}

interface Told {
  rows: number;
  dropped: number;
  features: number;
  joins: JoinReport[];
  point_in_time: PointInTimeReport | null;
}

function toldSummary({ rows, dropped, features, joins, point_in_time }: Told): string {
  const lost = joins.filter((join) => join.lost > 0);
  return [
    `Made ${features} features for ${rows} rows`,
    ...(dropped > 0 ? [`${dropped} rows without a label left out`] : []),
    ...lost.map((join) => `${join.from} → ${join.to} loses ${join.lost} of ${join.rows} rows`),
    point_in_time === null
      ? 'not checked for the future, since no time of prediction is named'
      : `no value from the future in ${point_in_time.rows} rows at ${point_in_time.cuts.length} moments`,
  ]
    .join('; ')
    .concat('.');
}
