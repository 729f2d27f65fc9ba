import { writeFile } from 'node:fs/promises';
import { identifier, type SqlEngine } from '../data/engine.ts';
import { isReserved, setPosition } from './evaluation-set.ts';

/**
 * Writes predictions.parquet: key, label, candidate, champion (if there is one), cluster (if the set has one),
 * the set's other columns, then the columns that the feature SQL keeps, in the order of the set.
 *
 * @param set view made by `declareSet`, and the names of its other columns
 * @param candidate one number a row, in the order of the set; likewise `champion`
 * @param kept view with `modelgate_position` and the kept columns
 * @param scratch path of a CSV file by which the numbers come into the engine
 */
export async function writePredictions(request: {
  engine: SqlEngine;
  set: { view: string; others: readonly string[]; cluster: boolean };
  task: 'classification' | 'regression';
  candidate: Float64Array;
  champion: Float64Array | null;
  kept: { view: string; names: readonly string[] };
  scratch: string;
  file: string;
}): Promise<void> {
  const { engine, set, task, candidate, champion, kept, scratch, file } = request;
  // a double's shortest decimal text reads back as the same double
  const lines = [`${setPosition},candidate,champion`];
  for (const [row, value] of candidate.entries()) {
    lines.push(`${row},${value},${champion === null ? '' : champion[row]}`);
  }
  await writeFile(scratch, `${lines.join('\n')}\n`);
  const predictions = 'modelgate predictions';
  await engine.addFile(predictions, scratch, 'csv');
  const more = kept.names.filter((name) => !set.others.includes(name) && !isReserved(name));
  const selected = [
    'pinned.key',
    task === 'classification' ? 'CAST(pinned.label AS TINYINT) AS label' : 'pinned.label',
    'CAST(predicted.candidate AS DOUBLE) AS candidate',
    ...(champion === null ? [] : ['CAST(predicted.champion AS DOUBLE) AS champion']),
    ...(set.cluster ? ['pinned.cluster'] : []),
    ...set.others.map((name) => `pinned.${identifier(name)}`),
    ...more.map((name) => `kept.${identifier(name)}`),
  ];
  await engine.writeParquet(
    `SELECT ${selected.join(', ')} FROM ${identifier(set.view)} AS pinned
     JOIN ${identifier(predictions)} AS predicted USING (${setPosition})
     JOIN ${identifier(kept.view)} AS kept ON kept.${setPosition} = pinned.${setPosition}
     ORDER BY pinned.${setPosition}`,
    file,
  );
}
