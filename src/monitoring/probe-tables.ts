import { identifier, literal, type Row, type SqlEngine } from '../data/engine.ts';
import { declareInputs, eventTime, type ModelInput } from './served.ts';

/** Relations that `declareProbes` makes: a row's fingerprint, key, and its numeric inputs as n0, n1 … */
export const probeTables = {
  training: 'probe_training',
  evaluation: 'probe_evaluation',
  served: 'probe_served',
} as const;

/** A numeric input and its column. */
export interface ProbedNumber {
  name: string;
  column: string;
  /** The column with the fingerprint of that half of the inputs in which it is not. */
  otherHalf: 'first_half' | 'second_half';
  /** Standard deviation, over the training rows or the served ones: the lesser, so that a narrow window is no walk. */
  sd: number;
}

export interface Probes {
  numbers: ProbedNumber[];
  training: number;
  served: number;
  /** Whether there is a table of the evaluation's rows. */
  evaluation: boolean;
  /** Inputs that requests are compared on. */
  inputs: number;
}

export interface ProbeOptions {
  /** Declared views. */
  training: string;
  served: string;
  /** Features of the evaluation; null without. */
  evaluation: string | null;
  inputs: readonly ModelInput[];
  /** The served view's column of each input. */
  columns: ReadonlyMap<string, string>;
  /** Inputs of which only a hash is logged: nothing is compared on them. */
  hashed: ReadonlySet<string>;
  /** Columns of the training rows. */
  key: string;
  time: string | null;
  /** Training rows from here on may be the same events as the served ones: they are left out. */
  since: Date;
}

const key = 'modelgate key';
const output = 'modelgate output';

/**
 * Makes tables of training rows, evaluation rows and served rows over the same inputs as the model sees them.
 * `mixed` is the exclusive or of one hash an input, so that a row's value without one input is its `mixed` xor
 * that input's hash.
 */
export async function declareProbes(engine: SqlEngine, options: ProbeOptions): Promise<Probes> {
  const wanted = options.inputs.filter(({ name }) => !options.hashed.has(name));
  const sources = {
    training: {
      source: options.training,
      key: options.key,
      output: null,
      columns: undefined,
      time: options.time,
    },
    served: {
      source: options.served,
      key: 'row_key',
      output: 'output',
      columns: options.columns,
      time: 'event_time',
    },
    evaluation: {
      source: options.evaluation,
      key: options.key,
      output: null,
      columns: undefined,
      time: null,
    },
  };
  const known: string[][] = [];
  const there: (keyof typeof sources)[] = [];
  for (const name of ['training', 'served', 'evaluation'] as const) {
    const { source, columns, time, ...carried } = sources[name];
    if (source === null) continue;
    const available = (await engine.describe(`SELECT * FROM ${identifier(source)}`)).map((one) => one.name);
    const carry = Object.fromEntries(
      [
        [key, carried.key],
        [output, carried.output],
      ].flatMap(([as, column]) =>
        as != null && column != null && available.includes(column) ? [[as, column]] : [],
      ),
    );
    await declareInputs(engine, {
      view: `${probeTables[name]}_rows`,
      source,
      inputs: wanted,
      columns,
      time,
      carry,
    });
    known.push(
      wanted.filter((one) => available.includes(columns?.get(one.name) ?? one.name)).map((one) => one.name),
    );
    there.push(name);
  }
  // an evaluation that lacks an input is of no use; without one the training rows alone say what is natural
  const inputs = wanted.filter(({ name }) => known[0]?.includes(name) && known[1]?.includes(name));
  const evaluation = there.includes('evaluation') && inputs.every(({ name }) => known[2]?.includes(name));
  for (const name of there) {
    if (name !== 'evaluation' || evaluation) await makeTable(engine, { name, inputs, since: options.since });
  }
  const numeric = numbersOf(inputs);
  const [training, served] = [
    await sizesOf(engine, 'training', numeric),
    await sizesOf(engine, 'served', numeric),
  ];
  return {
    numbers: numeric.map((one) => ({
      ...one,
      sd: Math.min(Number(training[one.column] ?? 0), Number(served[one.column] ?? 0)),
    })),
    training: Number(training.n ?? 0),
    served: Number(served.n ?? 0),
    evaluation,
    inputs: inputs.length,
  };
}

/** Rows of a table as n, and the standard deviation of each number under its column's name. */
async function sizesOf(
  engine: SqlEngine,
  table: keyof typeof probeTables,
  numbers: readonly { column: string }[],
): Promise<Row> {
  const spread = numbers.map(
    ({ column }) => `stddev_pop(${column}) FILTER (WHERE abs(${column}) < 1e150) AS ${column}`,
  );
  const [row] = await engine.rows(
    `SELECT ${['CAST(count(*) AS DOUBLE) AS n', ...spread].join(', ')} FROM ${probeTables[table]}`,
  );
  return row ?? {};
}

/** SQL for the hash of one input's value: another input with the same value has another. */
const hashOf = (column: string, index: number): string => `hash(${column}, ${index})`;

/** SQL for a row's fingerprint without one numeric input. */
export const withoutNumber = ({ column }: Pick<ProbedNumber, 'column'>): string =>
  `xor(mixed, ${hashOf(column, Number(column.slice(1)))})`;

function numbersOf(inputs: readonly ModelInput[]): Omit<ProbedNumber, 'sd'>[] {
  return inputs.flatMap(({ name, type }, i) =>
    type === 'string' || type === 'bool'
      ? []
      : [{ name, column: `n${i}`, otherHalf: inFirstHalf(i, inputs) ? 'second_half' : 'first_half' }],
  );
}

const inFirstHalf = (index: number, inputs: readonly ModelInput[]): boolean => 2 * index < inputs.length;

async function makeTable(
  engine: SqlEngine,
  { name, inputs, since }: { name: keyof typeof probeTables; inputs: readonly ModelInput[]; since: Date },
): Promise<void> {
  const view = identifier(`${probeTables[name]}_rows`);
  const carried = (await engine.describe(`SELECT * FROM ${view}`)).map((one) => one.name);
  const text = (column: string) =>
    carried.includes(column) ? `CAST(${identifier(column)} AS VARCHAR)` : 'CAST(NULL AS VARCHAR)';
  const numbers = numbersOf(inputs);
  const value = (input: ModelInput, i: number) =>
    numbers.some(({ column }) => column === `n${i}`)
      ? `CAST(${identifier(input.name)} AS DOUBLE)`
      : identifier(input.name);
  const mixed = (half: boolean) =>
    inputs
      .flatMap((input, i) => (inFirstHalf(i, inputs) === half ? [hashOf(value(input, i), i)] : []))
      .reduce((all, one) => `xor(${all}, ${one})`, 'CAST(0 AS UBIGINT)');
  const selected = [
    `${mixed(true)} AS first_half`,
    `${mixed(false)} AS second_half`,
    'xor(first_half, second_half) AS mixed',
    `${text(key)} AS k`,
    `CAST(${text(output)} AS DOUBLE) AS output`,
    `${identifier(eventTime)} AS moment`,
    ...inputs.flatMap((input, i) =>
      numbers.some(({ column }) => column === `n${i}`) ? [`${value(input, i)} AS n${i}`] : [],
    ),
  ];
  const before = literal(since.toISOString().replace('T', ' ').replace('Z', ''));
  const where =
    name === 'training'
      ? `${identifier(eventTime)} IS NULL OR ${identifier(eventTime)} < CAST(${before} AS TIMESTAMP)`
      : 'TRUE';
  await engine.execute(
    `CREATE OR REPLACE TEMP TABLE ${probeTables[name]} AS SELECT ${selected.join(', ')} FROM ${view} WHERE ${where}`,
  );
}
