import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { silentLogger } from '../../src/logger.ts';
import { loadCommand } from '../../src/stages/commands.ts';
import { Pipeline } from '../../src/stages/pipeline.ts';
import { openProject } from '../../src/stages/project.ts';
import { encodeClusters } from '../../src/stats/influence.ts';

/** Recipes of the flights example: the one as it is, and three with a real harm. */
export const recipes = ['twin', 'no carrier', '2,000 training rows', 'no scheduled time'] as const;
export type Recipe = (typeof recipes)[number];

/** The predictions of one training, in the order of the evaluation set's key. */
export interface Fit {
  recipe: Recipe;
  bootstrap: number;
  predictions: Float64Array;
}

export interface Fits {
  label: Float64Array;
  /** The day of each row. */
  clusters: { codes: Int32Array; count: number };
  fits: Fit[];
}

const example = path.join(import.meta.dirname, '../../examples/flights');

/** Three months that no training of the example's first recipe has seen; made for this bench alone. */
const evaluation = { from: '2013-04-01', until: '2013-07-01', source: '2013-03-24' };

/**
 * Trains every fit on a bootstrap of its own and scores it, by the stages; what the store holds is read back, so
 * that an interrupted run goes on where it stopped.
 */
export async function makeFits(options: {
  store: string;
  counts: ReadonlyMap<Recipe, number>;
  signal: AbortSignal;
  told(message: string): void;
}): Promise<Fits> {
  const folder = path.join(options.store, 'bench');
  await mkdir(folder, { recursive: true });
  const open = (configFile: string) =>
    openProject({
      configFile,
      store: path.join(options.store, 'store'),
      actor: { name: 'bench', via: 'cli' },
      logger: silentLogger,
      signal: options.signal,
    });
  const pinned = await pin({ folder, open });
  const found: { recipe: Recipe; bootstrap: number; file: Predictions }[] = [];
  let ordinal = 0;
  for (const recipe of recipes) {
    // a harmed recipe draws rows of its own: a pair shares no draw
    let bootstrap = 1000 * recipes.indexOf(recipe);
    for (let i = 0; i < (options.counts.get(recipe) ?? 0); ) {
      bootstrap++;
      const config = path.join(folder, `fit-${ordinal++}.yaml`);
      await writeFile(config, JSON.stringify(await configOf({ recipe, bootstrap, folder, pinned })));
      const started = performance.now();
      await using project = await open(config);
      const outcome = await (await Pipeline.open(project)).upTo('evaluate');
      const digest = outcome.outputs.evaluation;
      if (outcome.reason_code === 'model_parity') {
        options.told(`${recipe}, bootstrap ${bootstrap} is left out: ${outcome.summary}`);
        continue;
      }
      if (outcome.stage !== 'evaluate' || outcome.verdict !== 'pass' || typeof digest !== 'string')
        throw new Error(`${recipe}, bootstrap ${bootstrap}: ${outcome.summary}`);
      found.push({ recipe, bootstrap, file: await readPredictions(project, digest) });
      i++;
      const seconds = ((performance.now() - started) / 1000).toFixed(1);
      options.told(`${recipe}, fit ${i}: ${seconds} s${outcome.cached ? ', read back' : ''}`);
    }
  }
  const first = found[0]?.file;
  if (first === undefined) throw new Error('no fits were asked for');
  return {
    label: first.label,
    clusters: encodeClusters(first.day),
    fits: found.map(({ recipe, bootstrap, file }) => ({ recipe, bootstrap, predictions: file.candidate })),
  };
}

type Open = (config: string) => ReturnType<typeof openProject>;

/** The evaluation set of this bench: the file and its hash. */
async function pin({
  folder,
  open,
}: {
  folder: string;
  open: Open;
}): Promise<{ file: string; sha256: string }> {
  const file = path.join(folder, 'evaluation.parquet');
  const config = path.join(folder, 'pin.yaml');
  const window = { from: evaluation.source, until: evaluation.until };
  await writeFile(
    config,
    JSON.stringify({ extends: path.join(example, 'modelgate.yaml'), evaluation: { window } }),
  );
  await using project = await open(config);
  const command = await loadCommand('pin');
  if (command === undefined) throw new Error('there is no command pin');
  const { from, until } = evaluation;
  const outcome = await command.run(
    command.options.parse({ output: file, from, until, force: true }),
    project,
  );
  const { sha256 } = outcome.outputs;
  if (typeof sha256 !== 'string') throw new Error(`pin: ${outcome.summary}`);
  return { file, sha256 };
}

async function configOf(request: {
  recipe: Recipe;
  bootstrap: number;
  folder: string;
  pinned: { file: string; sha256: string };
}): Promise<object> {
  const { recipe, bootstrap, folder, pinned } = request;
  return {
    extends: path.join(example, 'modelgate.yaml'),
    evaluation: {
      ...pinned,
      id: 'flights-2013-q2',
      window: { from: evaluation.source, until: evaluation.until },
      budget: 100_000,
    },
    train: { bootstrap },
    ...(recipe === 'twin' ? {} : { features: { sql: await featuresOf(recipe, folder) } }),
  };
}

/** The feature SQL with the harm, as a file. */
async function featuresOf(recipe: Exclude<Recipe, 'twin'>, folder: string): Promise<string> {
  if (recipe === 'no scheduled time') return path.join(example, 'features/no-schedule.sql');
  const base = await readFile(path.join(example, 'features/base.sql'), 'utf8');
  const file = path.join(folder, recipe === 'no carrier' ? 'no-carrier.sql' : 'few-rows.sql');
  const sql =
    recipe === 'no carrier'
      ? `SELECT * EXCLUDE (carrier) FROM (\n${base}\n)`
      : // 2,500 of January's rows, of which a fifth is for validation; every row that is asked about later
        `SELECT * FROM (\n${base}\n) WHERE predict_at >= TIMESTAMP '2013-02-01' OR hash(flight_id) % 10000 < 945`;
  await writeFile(file, sql);
  return file;
}

interface Predictions {
  label: Float64Array;
  candidate: Float64Array;
  day: Float64Array;
}

async function readPredictions(
  project: Awaited<ReturnType<typeof openProject>>,
  evaluationDigest: string,
): Promise<Predictions> {
  const { store, engine: start } = project.context;
  const engine = await start({ threads: 1 });
  try {
    await engine.addFile(
      'predictions',
      await store.manifestFile(
        evaluationDigest as Parameters<typeof store.manifestFile>[0],
        'predictions.parquet',
      ),
    );
    const columns = await engine.columns(
      'SELECT CAST(label AS DOUBLE) AS label, CAST(candidate AS DOUBLE) AS candidate, CAST(dense_rank() OVER (ORDER BY cluster) AS DOUBLE) AS day FROM predictions ORDER BY key',
    );
    const numbers = (name: string) => {
      const values = columns.find((column) => column.name === name)?.values;
      if (!(values instanceof Float64Array)) throw new Error(`the engine gave no numbers for ${name}`);
      return values;
    };
    return { label: numbers('label'), candidate: numbers('candidate'), day: numbers('day') };
  } finally {
    await engine.close();
  }
}
