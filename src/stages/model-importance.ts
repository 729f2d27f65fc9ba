import { identifier, type SqlEngine } from '../data/engine.ts';
import { UserError } from '../errors.ts';
import type { AdmissionRules } from '../evaluation/admission-policy.ts';
import { readFeatureColumns } from '../evaluation/feature-columns.ts';
import { loadPredictor } from '../evaluation/onnxruntime.ts';
import type { Importance } from '../monitoring/importance.ts';
import type { ModelReference } from '../monitoring/reference.ts';
import { shapleyImportance } from '../monitoring/shapley-importance.ts';
import { readPackage } from '../serving/package.ts';
import type { StageContext } from './define.ts';

/** Rows of the training set that are asked about. */
const sampled = 200;
const view = 'explained rows';

/**
 * What each feature counts for: the package's `importance.json`, else Shapley values of the model itself on training
 * rows. Null, with a warning, where the model cannot be asked.
 */
export async function modelImportance(
  { store, logger }: Pick<StageContext, 'store' | 'logger'>,
  request: {
    engine: SqlEngine;
    reference: ModelReference;
    admission: AdmissionRules | undefined;
    seed: number;
  },
): Promise<Importance | null> {
  const { engine, reference, admission, seed } = request;
  if (reference.importance !== null) return reference.importance;
  const key = identifier(reference.key);
  try {
    const { signature, modelFile } = await readPackage(store, reference.model);
    await engine.addFile('explained', reference.trainFile, 'parquet');
    await engine.execute(
      `CREATE OR REPLACE TEMP TABLE ${identifier(view)} AS
       SELECT *, row_number() OVER () AS "explained row" FROM
       (SELECT * FROM explained ORDER BY hash(CAST(${key} AS VARCHAR)), ${key} LIMIT ${sampled})`,
    );
    const orderBy = '"explained row"';
    const { features, rows } = await readFeatureColumns({ engine, view, signature, orderBy });
    const predictor = await loadPredictor({ file: modelFile, signature, admission });
    try {
      const names = signature.inputs.map(({ name }) => name);
      const predict = predictor.predict.bind(predictor);
      return await shapleyImportance({ names, columns: features, rows, predict, seed });
    } finally {
      await predictor.close();
    }
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    logger.warn(`importance is not known: ${error.message}`);
    return null;
  }
}
