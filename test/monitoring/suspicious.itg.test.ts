import { describe, expect, it } from 'vitest';
import type { SqlEngine } from '../../src/data/engine.ts';
import { MonitoringPolicy } from '../../src/monitoring/policy.ts';
import type { ModelInput } from '../../src/monitoring/served.ts';
import { suspiciousInputs } from '../../src/monitoring/suspicious-inputs.ts';
import { bench } from './context.ts';

const inputs: ModelInput[] = [
  { name: 'weight', type: 'float32' },
  { name: 'distance', type: 'float32' },
  { name: 'stops', type: 'int64' },
  { name: 'depot', type: 'string' },
];

interface Traffic {
  /** SQL over i and the row's own columns, in place of a served column. */
  changes?: Partial<
    Record<'weight' | 'distance' | 'stops' | 'depot' | 'output' | 'row_key' | 'trained', string>
  >;
  /** Every 18th request has the inputs of a training row. */
  replay?: boolean;
  /** Round numbers, so that rows are equal by nature. */
  coarse?: boolean;
  /** Rows on either side; 900 served ones against 2,500 training rows unless said. */
  size?: number;
}

const uniform = (salt: string) => `((hash(i, '${salt}') % 1000003) / 1000003.0)`;
function rows(n: number, salt: string, coarse: boolean): string {
  const weight = `10 + 4 * (${uniform(`${salt}w`)} + ${uniform(`${salt}v`)})`;
  const distance = `300 + 200 * ${uniform(`${salt}d`)}`;
  return `SELECT i, DATE '2013-01-01' + CAST(i % 28 AS INTEGER) AS day, ${uniform(`${salt}p`)} AS output,
    ${coarse ? `round(${weight})` : weight} AS weight, ${coarse ? `round(${distance}, -1)` : distance} AS distance,
    CAST(floor(8 * ${uniform(`${salt}s`)}) AS BIGINT) AS stops,
    CASE WHEN ${uniform(`${salt}c`)} < 0.6 THEN 'north' ELSE 'south' END AS depot FROM range(${n}) AS t(i)`;
}

/** What `suspicious_inputs` says of served rows against training rows of another month. */
async function look(engine: SqlEngine, seed: number, traffic: Traffic = {}) {
  const { changes = {}, replay = false, coarse = false, size } = traffic;
  const training = rows(size ?? 2500, `${seed}t`, coarse);
  const natural = rows(size ?? 900, `${seed}s`, coarse);
  await engine.execute(
    `CREATE OR REPLACE TEMP TABLE training AS
     SELECT 'p' || i AS parcel, day - 31 AS at, ${changes.trained ?? 'weight, distance'}, stops, depot FROM (${training})`,
  );
  const source = replay
    ? `${natural} WHERE i % 18 <> 0 UNION ALL SELECT * FROM (${training}) WHERE i % 18 = 0 AND i < 900`
    : natural;
  const column = (name: keyof NonNullable<Traffic['changes']>, plain: string = name) =>
    `${changes[name] ?? plain} AS ${name}`;
  await engine.execute(
    `CREATE OR REPLACE TEMP TABLE served AS
     SELECT ${column('row_key', `'s' || i`)}, CAST(day AS TIMESTAMP) AS event_time, ${column('output')},
       ${column('weight')}, ${column('distance')}, ${column('stops')}, ${column('depot')} FROM (${source})`,
  );
  const signals = await suspiciousInputs(engine, {
    ...{
      policy: MonitoringPolicy.parse({}),
      task: 'classification',
      inputs,
      hashed: new Set<string>(),
      columns: new Map(),
    },
    ...{ training: 'training', served: 'served', evaluation: null, key: 'parcel', time: 'at' },
    since: new Date('2013-01-01T00:00:00Z'),
  });
  const alerts = signals.filter(({ verdict }) => verdict === 'alert').map(({ name }) => name);
  return { signals, alerts, of: (name: string) => signals.find((one) => one.name === name) };
}

const probe = (theirs: string, natural: string) => `CASE WHEN i % 18 = 0 THEN ${theirs} ELSE ${natural} END`;
/** Every 18th request is one parcel again and again, its weight in steps of a thousandth across the threshold. */
const walk: Traffic['changes'] = {
  weight: probe('14 + i / 18 * 0.001', 'weight'),
  distance: probe('421.5', 'distance'),
  stops: probe('3', 'stops'),
  depot: probe(`'north'`, 'depot'),
  output: probe('CASE WHEN i < 500 THEN 0.49 ELSE 0.51 END', 'output'),
};

/** What nature and broken sensors do; nobody probes. */
const natural: Record<string, Traffic> = {
  'nothing moved': {},
  'round numbers': { coarse: true },
  'a shift': { changes: { weight: 'weight + 2', distance: 'distance + 40' } },
  'round numbers and a shift': { coarse: true, changes: { weight: 'weight + 1' } },
  'a stuck sensor': { changes: { weight: '12' } },
  'two stuck sensors': { changes: { weight: '12', stops: '1' } },
  'all sensors stuck but a narrow one': {
    changes: { weight: '12', stops: '1', distance: '400 + (distance - 400) / 20' },
  },
  'a narrow range': { changes: { distance: '400 + (distance - 400) / 20' } },
  'missing values': { changes: { weight: 'NULL', depot: 'NULL' } },
  'requests sent twice': { changes: { row_key: `'s' || (i // 2)` } },
  'one depot alone': { coarse: true, changes: { depot: `'north'` } },
};

describe('suspicious inputs', () => {
  it('[MON-7] are told of requests that walk one feature across the threshold: counts and keys, no values', async () => {
    const { engine } = await bench();
    const { alerts, of } = await look(engine, 1, { changes: walk });
    expect(alerts).toEqual(['boundary_walk']);
    expect(of('boundary_walk')).toMatchObject({ value: 50, threshold: 10, since: '2013-01-01' });
    expect(of('boundary_walk')?.summary).toMatch(
      /^50 requests in 1 series move weight alone in tiny steps across the decision threshold, 50 steps in the longest \(keys s\d+(, s\d+){4}\)$/,
    );
  });

  it('[MON-7] are told of requests that repeat training rows, not of rows scored again under their own key', async () => {
    const { engine } = await bench();
    const { alerts, of } = await look(engine, 2, { replay: true });
    expect(alerts).toEqual(['training_rows']);
    expect(of('training_rows')).toMatchObject({ value: 50, since: '2013-01-01' });
    const own = await look(engine, 2, { replay: true, changes: { row_key: `'p' || i` } });
    expect(own.alerts).toEqual([]);
  });

  it('is not told of many tries on one side of the threshold, nor of a feature tried over all of its range', async () => {
    const { engine } = await bench();
    expect((await look(engine, 3, { changes: { ...walk, output: probe('0.3', 'output') } })).alerts).toEqual(
      [],
    );
    const wide = { ...walk, weight: probe('10 + i / 18 * 0.2', 'weight') };
    expect((await look(engine, 3, { changes: wide })).alerts).toEqual([]);
  });

  it('[MON-7] raises no alarm in 100 worlds that drift by nature, break, repeat rows or stay as they were', async () => {
    const { engine } = await bench();
    const kinds = Object.entries(natural);
    const alarms: string[] = [];
    for (let seed = 0; seed < 100; seed++) {
      const [name, traffic] = kinds[seed % kinds.length]!;
      const { signals, alerts } = await look(engine, 100 + seed, traffic);
      expect(signals).toHaveLength(2);
      if (alerts.length > 0) alarms.push(`${seed} ${name}: ${alerts}`);
    }
    expect(alarms).toEqual([]);
  });

  it('does not take for a probe what nature repeats, and says nothing where rows come back in seasons', async () => {
    const { engine } = await bench();
    const [weight, distance] = ['round(weight, 1)', 'round(distance, 1)'];
    const some = await look(engine, 5, {
      size: 10_000,
      changes: { weight, distance, trained: `${weight} AS weight, ${distance} AS distance` },
    });
    expect(some.of('training_rows')).toMatchObject({
      verdict: 'ok',
      value: expect.toSatisfy((n: number) => n > 20),
    });
    const season = await look(engine, 6, { coarse: true });
    expect(season.of('training_rows')).toMatchObject({
      verdict: 'not_enough_data',
      summary: expect.stringContaining('rows come back by nature'),
    });
  });

  it('says "not enough data" for few rows, and nothing where it is switched off', async () => {
    const { engine } = await bench();
    const few = await look(engine, 4, { changes: { row_key: 'NULL' } });
    expect(few.signals.map(({ verdict }) => verdict)).toEqual(['ok', 'ok']);
    const policy = MonitoringPolicy.parse({ suspicious_inputs: false });
    const bare = {
      inputs,
      hashed: new Set<string>(),
      columns: new Map(),
      key: 'parcel',
      time: 'at',
      since: new Date(),
    };
    const ask = {
      ...bare,
      task: 'classification' as const,
      training: 'training',
      served: 'served',
      evaluation: null,
    };
    expect(await suspiciousInputs(engine, { ...ask, policy })).toEqual([]);
    await engine.execute('CREATE OR REPLACE TEMP TABLE served AS SELECT * FROM served LIMIT 50');
    const short = await suspiciousInputs(engine, { ...ask, policy: MonitoringPolicy.parse({}) });
    expect(short.map(({ verdict }) => verdict)).toEqual(['not_enough_data', 'not_enough_data']);
  });
});
