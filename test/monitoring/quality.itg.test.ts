import { describe, expect, it } from 'vitest';
import { MonitoringPolicy } from '../../src/monitoring/policy.ts';
import { runStage } from '../../src/stages/define.ts';
import { monitor } from '../../src/stages/monitor.ts';
import { watch as watchAll } from './watch.ts';
import { environment, model, type Traffic, world as worldOf } from './world.ts';

/** Truth for a share of the rows, its opposite for the others: accuracy and F1 of about 1 − share / 100. */
const wrongFor = (share: number) => `CASE WHEN i % 100 < ${share} THEN output <= 0.5 ELSE output > 0.5 END`;

/**
 * One column, few permutations, wide floors: small drift is not what these are about; nor is that the worlds' traffic
 * ends before the window does.
 */
const watch: typeof watchAll = (bed, options = {}) =>
  watchAll(bed, {
    ...options,
    policy: {
      ...{ permutations: 99, columns: ['weight'], floor: { sd: 0.3, points: 10 } },
      service: { min_throughput: 0 },
      ...options.policy,
    },
  });

const world = (traffic: Traffic = {}) => worldOf({ days: 14, ...traffic });

describe('silent failure', () => {
  it('[MON-5] [ALR-3] is caught without a floor: F1 is 15 points down, and every request was answered in 4 ms', async () => {
    const bed = await world();
    const { alerts, actions, outcome, of, signals } = await watch(bed, {
      labels: await bed.labels(wrongFor(15)),
    });
    expect(of('error_rate', 'service')).toMatchObject({ verdict: 'ok', value: 0 });
    expect(of('f1 of version 1 since its gate', 'silent_failure')).toMatchObject({
      verdict: 'alert',
      version: 1,
      value: expect.closeTo(0.85, 1),
      threshold: expect.closeTo(0.95, 5),
    });
    expect(alerts).toMatchObject([
      { cause: 'silent_failure', fingerprint: 'parcels/production/silent_failure' },
    ]);
    expect(alerts[0]?.title).toMatch(
      /^parcels in production: 200s with quality fallen: f1 of version 1 is 0\.8\d+ over 1400 labelled/,
    );
    expect(alerts[0]?.body).toMatch(/Did the service answer as it should\? \*\*yes\*\*/);
    expect(alerts[0]?.body).toContain('### Runbook `silent-failure`');
    expect(actions).toMatchObject([{ cause: 'silent_failure' }]);
    expect(outcome.reason_code).toBe('performance_fell');
    expect(signals.filter(({ verdict }) => verdict === 'alert')).toHaveLength(1);
  });

  it('[MON-5] tolerates what the policy tolerates, and says when chance can explain the rest', async () => {
    const bed = await world();
    const little = await watch(bed, { labels: await bed.labels(wrongFor(3)) });
    expect(little.of('f1 of version 1 since its gate', 'silent_failure')).toMatchObject({ verdict: 'ok' });
    expect(little.alerts).toEqual([]);
    const allowed = await watch(bed, {
      labels: await bed.labels(wrongFor(15)),
      policy: { maximum_fall: '20%' },
    });
    expect(allowed.alerts).toEqual([]);
    // one whole day is wrong: 7 % of the rows, and hardly known
    const days = 'CASE WHEN d = 3 THEN output <= 0.5 ELSE output > 0.5 END';
    const uneven = await watch(bed, { labels: await bed.labels(days) });
    expect(uneven.of('f1 of version 1 since its gate', 'silent_failure')).toMatchObject({
      verdict: 'not_enough_data',
      summary: expect.stringContaining('chance can still explain'),
    });
  });

  it('[MON-5] is caught in two days by how the days of the gate differ, and not told of a single version twice', async () => {
    const bed = await world({ days: 2, rowsPerDay: 400 });
    const labels = await bed.labels(wrongFor(30));
    const short = await watch(bed, { labels });
    expect(short.alerts.map(({ cause }) => cause)).toEqual(['silent_failure']);
    const both = await watch(bed, { labels, policy: { metric: { name: 'f1', floor: 0.9 } } });
    expect(both.alerts.map(({ cause }) => cause)).toEqual(['concept_drift']);
    expect(both.of('f1 of version 1 since its gate', 'silent_failure')).toMatchObject({ verdict: 'alert' });
    expect(both.actions.map(({ cause }) => cause)).toEqual(['concept_drift']);
  });

  it('takes a label that is NaN for one that has not come, for the metric and the business metric', async () => {
    const bed = await world();
    await bed.engine.addFile('whole', await bed.labels(wrongFor(15)), 'parquet');
    const some = await bed.parquet(
      'some.parquet',
      `SELECT parcel, CASE WHEN hash(parcel) % 10 = 0 THEN CAST('nan' AS DOUBLE) ELSE CAST(late AS DOUBLE) END AS late FROM whole`,
    );
    const sql = 'CASE WHEN label > 0.5 THEN 1 WHEN label IS NOT NULL THEN 1 END';
    const { of } = await watch(bed, { labels: some, policy: { business: { name: 'count', sql } } });
    expect(of('f1 of version 1 since its gate', 'silent_failure')).toMatchObject({
      verdict: 'alert',
      summary: expect.stringMatching(/over 12\d\d labelled predictions/),
    });
    expect(of('count of version 1', 'business_metric')?.summary).toMatch(/over 12\d\d predictions/);
  });

  it('[MON-8] is not judged on few labels, nor for a version without predictions at its gate', async () => {
    const bed = await world({ rowsPerDay: 6 });
    const few = await watch(bed, { labels: await bed.labels(wrongFor(40)) });
    expect(few.of('quality of version 1', 'silent_failure')).toMatchObject({ verdict: 'not_enough_data' });
    const other = await world({ version: '2' });
    const unknown = await watch(other, { labels: await other.labels(wrongFor(40)) });
    expect(unknown.of('quality of version 2', 'silent_failure')).toMatchObject({
      verdict: 'not_enough_data',
    });
    expect([...few.alerts, ...unknown.alerts]).toEqual([]);
  });
});

describe('estimated performance', () => {
  it('is given before labels come, and beside the measured value after', async () => {
    const bed = await world();
    const before = await watch(bed);
    expect(before.of('f1 of version 1', 'estimated_performance')).toMatchObject({
      verdict: 'ok',
      value: expect.closeTo(1, 1),
      interval: { low: expect.closeTo(1, 1), high: 1 },
    });
    const after = await watch(bed, { labels: await bed.labels(wrongFor(15)) });
    // labels turned while inputs stayed: the estimate cannot know
    expect(after.of('f1 of version 1', 'estimated_performance')).toMatchObject({
      verdict: 'ok',
      value: expect.closeTo(1, 1),
      summary: expect.stringMatching(/measured on 1400 with labels: 0\.8/),
    });
  });

  it('logs scores that promise less than the floor, and never alerts', async () => {
    const bed = await world({ output: 'CASE WHEN output > 0.5 THEN 0.501 ELSE output END' });
    const policy = { metric: { name: 'brier', floor: 0.1 }, prediction: { threshold: 0.5 } };
    const { of, alerts } = await watch(bed, { policy });
    expect(of('brier of version 1', 'estimated_performance')).toMatchObject({
      verdict: 'logged',
      summary: expect.stringContaining('past the ceiling of 0.1'),
    });
    expect(alerts.map(({ cause }) => cause)).not.toContain('concept_drift');
  });
});

describe('the business metric', () => {
  const business = {
    name: 'revenue',
    sql: `CASE WHEN depot = 'north' THEN 2 ELSE 1 END * weight / 10 * prediction`,
  };

  it('[MON-6] is the mean by version with an interval, and compared with the version before', async () => {
    const bed = await world({
      version: 'CASE WHEN i % 2 = 0 THEN 1 ELSE 2 END',
      output: 'CASE WHEN i % 2 = 0 THEN output ELSE 0.8 * output END',
    });
    const { of, outcome, alerts } = await watch(bed, { policy: { business } });
    const first = of('revenue of version 1', 'business_metric');
    const second = of('revenue of version 2', 'business_metric');
    expect(first).toMatchObject({ verdict: 'ok', version: 1 });
    expect(second).toMatchObject({ verdict: 'logged', version: 2 });
    expect(second?.summary).toMatch(/against version 1, which is worse$/);
    expect(second!.value! / first!.value!).toBeGreaterThan(0.7);
    expect(second!.value! / first!.value!).toBeLessThan(0.9);
    expect(first?.interval?.low).toBeLessThan(first!.value!);
    expect(first?.interval?.high).toBeGreaterThan(first!.value!);
    expect(alerts.map(({ cause }) => cause)).not.toContain('business_metric');
    const { store } = bed.context;
    const manifest = await store.readManifest(outcome.outputs.drift!, 'drift');
    const file = JSON.parse((await store.readBytes(store.file(manifest, 'drift.json').sha256)).toString());
    expect(
      file.signals.filter(({ signal }: { signal: string }) => signal === 'business_metric'),
    ).toHaveLength(2);
  });

  it('[MON-6] may use the label: rows without one are left out until it comes', async () => {
    const bed = await world();
    const policy = {
      business: {
        name: 'cost',
        sql: 'CASE WHEN label = 1 AND prediction < 0.5 THEN 100 WHEN label IS NOT NULL THEN 0 END',
        higher_is_better: false,
      },
    };
    const none = await watch(bed, { policy });
    expect(none.of('cost of version 1', 'business_metric')).toMatchObject({ verdict: 'not_enough_data' });
    const some = await watch(bed, { policy, labels: await bed.labels('i % 10 = 0 OR output > 0.5') });
    expect(some.of('cost of version 1', 'business_metric')?.value).toBeCloseTo(5, 0);
  });

  it('is not judged on a window without a prediction, and stops no alarm about that', async () => {
    const bed = await world();
    const policy = { business, service: {} };
    const { outcome, of, alerts } = await watch(bed, { policy, since: '2013-02-15', until: '2013-02-18' });
    expect(outcome).toMatchObject({ verdict: 'inconclusive', reason_code: 'service_degraded' });
    expect(of('throughput', 'service')).toMatchObject({ verdict: 'alert', value: 0 });
    expect(alerts.map(({ cause }) => cause)).toEqual(['service']);
  });

  it('refuses what is not one number a row of what was served', async () => {
    const bed = await world({ days: 1 });
    const wrong = {
      'no number': 'depot',
      'an unknown column': 'profit',
      'an aggregate': 'avg(prediction)',
      'another statement': '1); DROP VIEW served; SELECT (1',
      'a file': `(SELECT count(*) FROM read_csv('/etc/hosts'))`,
    };
    for (const [what, sql] of Object.entries(wrong)) {
      const outcome = await runStage(
        monitor,
        {
          ...{ model, environment, since: '2013-02-01', until: '2013-03-01', labels: null },
          policy: MonitoringPolicy.parse({
            ...{ permutations: 99, columns: ['weight'], business: { name: 'revenue', sql } },
          }),
        },
        bed.context,
      );
      expect(outcome.error, what).toMatchObject({ code: 'config_invalid', where: 'monitoring.business.sql' });
    }
  });
});

describe('suspicious inputs', () => {
  const probe = (theirs: string, natural: string) =>
    `CASE WHEN i % 25 = 0 THEN ${theirs} ELSE ${natural} END`;
  const walk = {
    weight: probe('14 + i / 25 * 0.005', 'weight'),
    distance: probe('421.5', 'distance'),
    depot: probe(`'north'`, 'depot'),
    output: probe('CASE WHEN i < 700 THEN 0.49 ELSE 0.51 END', 'output'),
  };

  it('[MON-7] [ALR-1] are a cause of their own, apart from natural drift: each alone, and both', async () => {
    const drift = await watch(await world({ weight: 'weight + 1.5' }));
    expect(drift.alerts.map(({ cause }) => cause)).toEqual(['data_drift']);
    const probed = await watch(await world(walk));
    expect(probed.alerts.map(({ cause }) => cause)).toEqual(['suspicious_inputs']);
    expect(probed.alerts[0]?.title).toContain('56 requests in 1 series move weight alone in tiny steps');
    expect(probed.alerts[0]?.body).toContain('### Runbook `suspicious-inputs`');
    expect(probed.alerts[0]?.body).not.toMatch(/421|14\.0/);
    expect(probed.outcome.reason_code).toBe('inputs_suspicious');
    expect(probed.actions).toMatchObject([{ action: 'investigate', cause: 'suspicious_inputs' }]);
    const both = await watch(await world({ ...walk, weight: probe('14 + i / 25 * 0.005', 'weight + 1.5') }));
    expect(both.alerts.map(({ cause }) => cause)).toEqual(['data_drift', 'suspicious_inputs']);
  });
});
