import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { MonitoringPolicy } from '../../src/monitoring/policy.ts';
import { runStage } from '../../src/stages/define.ts';
import { monitor } from '../../src/stages/monitor.ts';
import { keys } from '../../src/store/keys.ts';
import { watch } from './watch.ts';
import { environment, model, type World, world } from './world.ts';

/** Registers version 2, which takes these numbers. */
async function register({ context, folder }: World, names: readonly string[]): Promise<void> {
  const { store, registry, actor, producer } = context;
  const file = path.join(folder, 'signature-2.json');
  const inputs = names.map((name) => ({ name, type: 'float32' }));
  await writeFile(file, JSON.stringify({ inputs, task: 'classification', output: 'p' }));
  const signature = { name: 'signature.json', ...(await store.putFile(file)) };
  const common = { inputs: {}, producer, facts: {} };
  const manifest = await store.putManifest({ ...common, kind: 'model', files: [signature] });
  const gate = await store.putManifest({ ...common, kind: 'gate', files: [] });
  const entry = { op_id: 'two', actor, type: 'register', version: 2, manifest, gate, verdict: 'pass' };
  await registry.commit({ model, op_id: 'two', matches: () => false, decide: () => entry as never });
}

describe('monitor', () => {
  it('is silent when only days differ from each other', async () => {
    const { outcome, alerts, actions, signals } = await watch(await world());
    expect(outcome).toMatchObject({ verdict: 'pass', reason_code: 'no_drift' });
    expect(alerts).toEqual([]);
    expect(actions).toEqual([]);
    expect(signals.every(({ verdict }) => verdict === 'ok')).toBe(true);
  });

  it('[MON-4] [ALR-4] alerts and retrains for a feature of 60 % importance, logs one of 2 % for review in 7 days', async () => {
    const heavy = await watch(await world({ weight: 'weight + 1.5' }));
    expect(heavy.outcome).toMatchObject({ verdict: 'inconclusive', reason_code: 'drift_found' });
    expect(heavy.of('weight')).toMatchObject({ verdict: 'alert', rank: 1, top: true, since: '2013-02-01' });
    expect(heavy.alerts).toHaveLength(1);
    expect(heavy.actions).toMatchObject([{ action: 'retrain', name: 'weight', due: null }]);

    const light = await watch(await world({ distance: 'distance + 80' }));
    expect(light.outcome).toMatchObject({ verdict: 'pass', reason_code: 'drift_found' });
    expect(light.of('distance')).toMatchObject({ verdict: 'logged', top: false });
    expect(light.alerts).toEqual([]);
    expect(light.actions).toMatchObject([{ action: 'review', name: 'distance', due: '2013-03-08' }]);
  });

  it('[MON-4] alerts for a feature of 40 % importance, and logs one of 2 % that moved as far in the same window', async () => {
    const moved = { weight: 'weight + 1.5', distance: 'distance + 80' };
    const { of, alerts, actions, outcome } = await watch(
      await world(moved, { weight: 0.4, distance: 0.02, depot: 0.58 }),
    );
    expect(outcome).toMatchObject({ verdict: 'inconclusive', reason_code: 'drift_found' });
    expect(of('weight')).toMatchObject({ verdict: 'alert', importance: 0.4, rank: 2, top: true });
    expect(of('distance')).toMatchObject({ verdict: 'logged', importance: 0.02, rank: 3, top: false });
    expect(of('distance')?.severity).toBeLessThan(of('weight')?.severity ?? 0);
    expect(alerts).toMatchObject([{ cause: 'data_drift', action: 'retrain' }]);
    expect(alerts[0]?.title).toContain('weight');
    expect(actions).toMatchObject([{ action: 'retrain', name: 'weight' }]);
  });

  it('[ALR-1] [ALR-3] writes the issue with the shift, distribution, segments and filled runbook, and stores it', async () => {
    const bed = await world({
      weight: `CASE WHEN depot = 'south' AND d >= 10 THEN weight + 6 ELSE weight END`,
    });
    const { alerts, of, outcome } = await watch(bed);
    const body = alerts[0]?.body ?? '';
    expect(alerts[0]?.title).toMatch(/^parcels in production: weight: mean 14\.\d+ → 15\.\d+ \(\+1\.\d+\)/);
    expect(of('weight')?.since).toBe('2013-02-11');
    expect(body).toContain('before |');
    // the south alone carries the shift, and the parts add up to it
    expect(body).toMatch(
      /\| depot \| share of rows \| mean of weight \| part of the shift \|\n.*\n\| south \|/,
    );
    for (const step of [
      'columns there',
      'null rates',
      'features moved',
      'most important',
      'predictions move',
    ])
      expect(body).toMatch(new RegExp(`- \\[x\\] [^\\n]*${step}[^\\n]*\\*\\*(yes|no)\\*\\*`));
    const manifest = await bed.context.store.readManifest(outcome.outputs.drift!, 'drift');
    expect(manifest.files.map(({ name }) => name)).toEqual(['drift.json', 'report.html', 'issue.md']);
    const issue = await bed.context.store.readBytes(bed.context.store.file(manifest, 'issue.md').sha256);
    expect(issue.toString()).toBe(body);
  });

  it('[ALR-1] [VAL-8] says what changed upstream, in the issue and in its JSON, and how the validations of a day ended', async () => {
    const bed = await world({ weight: 'weight + 1.5' });
    const value = {
      ...{ stage: 'validate', verdict: 'fail' },
      inputs: { model, dataset: 'd'.repeat(64), contracts: {}, as_of: '2013-02-20' },
      outputs: {
        counts: { pass: 4, warn: 0, fail: 1 },
        checks: [{ verdict: 'fail', message: 'The column depot is missing.' }],
      },
    };
    const entry = { schema: 'modelgate.cache/1', names: [], value };
    const key = keys.cache('validate', 'c'.repeat(64));
    await bed.context.store.storage.create(key, Buffer.from(JSON.stringify(entry)));
    const { outcome, alerts } = await watch(bed);
    expect(outcome.outputs.upstream).toMatchObject({
      ...{ trained_on: null, newest: 'd'.repeat(64), arrivals: [], columns: [], contracts: [] },
      problems: [{ verdict: 'fail', as_of: '2013-02-20', problems: ['The column depot is missing.'] }],
      last_day: [{ verdict: 'fail' }],
    });
    const body = alerts[0]?.body ?? '';
    expect(body).toContain('### What changed upstream');
    expect(body).toMatch(/: \*\*fail\*\*\. The column depot is missing\./);
    expect(body).toMatch(/- \[x\] Did the validations [^\n]*\*\*no\*\*[^\n]*1 failed/);
  });

  it('[MON-8] says "not enough data" for few rows, few days and an empty window: neither green nor alert', async () => {
    const few = await watch(await world({ rowsPerDay: 3, weight: 'weight + 5' }));
    const short = await watch(await world({ days: 4, weight: 'weight + 5' }));
    const empty = await watch(await world({ days: 1 }), { since: '2014-01-01', until: '2014-02-01' });
    for (const { outcome, alerts, actions, of } of [few, short, empty]) {
      expect(outcome).toMatchObject({ verdict: 'inconclusive', reason_code: 'not_decidable' });
      expect(of('weight')).toMatchObject({
        verdict: 'not_enough_data',
        summary: expect.stringContaining('not enough data'),
      });
      expect(alerts).toEqual([]);
      expect(actions).toEqual([]);
    }
  });

  it('[MON-1] runs K-S and chi-squared at 95 % on a window that rolls, where they are asked for, and PSI and KL', async () => {
    const bed = await world({
      weight: 'weight + CASE WHEN d >= 14 THEN 0.8 ELSE 0 END',
      depot: `CASE WHEN d >= 14 AND i % 3 = 0 THEN 'west' ELSE depot END`,
    });
    const rulesOf = async (since: string, until: string, classical: object) => {
      // the decision by blocks is out of reach, so that the rules decide alone
      const policy = { classical, minimum_blocks: 1000 };
      const { outcome, of } = await watch(bed, { since, until, policy });
      const { store } = bed.context;
      const manifest = await store.readManifest(outcome.outputs.drift!, 'drift');
      const drift = JSON.parse(String(await store.readBytes(store.file(manifest, 'drift.json').sha256)));
      const broken = drift.inputs.columns.map((column: { name: string; rules_broken: string[] }) => [
        column.name,
        column.rules_broken.map((rule) => rule.split(' ')[0]),
      ]);
      return {
        ...Object.fromEntries(broken),
        verdicts: ['weight', 'distance', 'depot'].map((name) => of(name)?.verdict),
      };
    };
    const tests = { ks: 0.05, chi_square: 0.05 };
    expect(await rulesOf('2013-02-01', '2013-02-15', tests)).toMatchObject({ distance: [], depot: [] });
    expect(await rulesOf('2013-02-15', '2013-03-01', tests)).toEqual({
      ...{ weight: ['ks'], distance: [], depot: ['chi_square'] },
      verdicts: ['alert', 'not_enough_data', 'alert'],
    });
    const rolled = await rulesOf('2013-02-10', '2013-02-24', { psi: 0.05, kl: 0.02 });
    expect(rolled).toMatchObject({ weight: ['psi', 'kl'], distance: [], depot: ['psi', 'kl'] });
  });

  it('[MON-2] raises prediction drift without labels when one class takes 80 % of balanced predictions', async () => {
    const { of, alerts, outcome } = await watch(
      await world({ output: 'CASE WHEN i % 3 < 2 THEN 0.9 ELSE output END' }),
    );
    expect(of('predicted_class', 'prediction_drift')).toMatchObject({
      verdict: 'alert',
      summary: expect.stringMatching(/^the positive class takes 8\d\.?\d* % .*before/),
    });
    expect(outcome.reason_code).toBe('drift_found');
    expect(alerts.map(({ cause }) => cause)).toEqual(['prediction_drift']);
  });

  it('[MON-3] raises concept drift for the version that predicted when labels put its metric under the floor', async () => {
    const policy = { metric: { name: 'accuracy', floor: 0.8 } };
    const good = await world();
    const held = await watch(good, {
      policy,
      labels: await good.labels('CASE WHEN i % 10 = 0 THEN output <= 0.5 ELSE output > 0.5 END'),
    });
    expect(held.of('accuracy of version 1', 'concept_drift')).toMatchObject({ verdict: 'ok', version: 1 });
    const bad = await world();
    const fell = await watch(bad, {
      policy,
      labels: await bad.labels('CASE WHEN i % 10 < 3 THEN output <= 0.5 ELSE output > 0.5 END'),
    });
    expect(fell.of('accuracy of version 1', 'concept_drift')).toMatchObject({ verdict: 'alert', version: 1 });
    expect(fell.of('accuracy of version 1', 'concept_drift')?.value).toBeCloseTo(0.7, 1);
    expect(fell.outcome.reason_code).toBe('performance_fell');
    expect(fell.alerts[0]).toMatchObject({ cause: 'concept_drift', action: 'retrain' });
    expect(fell.alerts[0]?.body).toContain('most wrong');
  });

  it('[ALR-5] answers a fall without drift by the runbook of performance, with its five steps carried out', async () => {
    const policy = { metric: { name: 'accuracy', floor: 0.8 } };
    const bed = await world();
    const wrong = 'CASE WHEN i % 10 < 3 THEN output <= 0.5 ELSE output > 0.5 END';
    const { outcome, alerts, signals } = await watch(bed, { policy, labels: await bed.labels(wrong) });
    expect(signals.filter(({ signal, verdict }) => signal === 'data_drift' && verdict !== 'ok')).toEqual([]);
    expect(outcome.outputs.drifted).toEqual([]);
    expect(alerts).toMatchObject([{ cause: 'concept_drift' }]);
    const [{ body } = { body: '' }] = alerts;
    const steps = [...body.matchAll(/- \[x\] ([^\n]*?)\*\*(yes|no|unknown)\*\*/g)].map(
      ([, title = '', end]) => [title.trim().split(' ').slice(0, 3).join(' '), end],
    );
    expect(Object.fromEntries(steps)).toEqual({
      'Did the inputs': 'no',
      'Which predictions were': 'yes',
      'Did the share': 'no',
      'Are the labels': 'yes',
      'Does the metric': expect.stringMatching(/yes|no|unknown/),
    });
    expect(body).toContain('without drift');
  });

  it('[MON-4] alerts only when enough windows are violated, or one is extremely', async () => {
    const policy = { num_evaluation_windows: 2, num_violation_windows: 2, minimum_blocks: 8 };
    const window = { since: '2013-02-15', until: '2013-03-01' };
    const once = await watch(await world({ weight: 'weight + CASE WHEN d >= 14 THEN 0.8 ELSE 0 END' }), {
      policy,
      ...window,
    });
    expect(once.of('weight')).toMatchObject({ verdict: 'logged', windows: { violated: 1, evaluated: 2 } });
    const twice = await watch(await world({ weight: 'weight + 0.8' }), { policy, ...window });
    expect(twice.of('weight')).toMatchObject({ verdict: 'alert', windows: { violated: 2, evaluated: 2 } });

    const extreme = await watch(await world({ weight: 'weight + CASE WHEN d >= 14 THEN 6 ELSE 0 END' }), {
      policy,
      ...window,
    });
    expect(extreme.of('weight')).toMatchObject({ verdict: 'alert', windows: { violated: 1, evaluated: 2 } });
    expect(extreme.of('weight')?.summary).toMatch(
      /; so far \([\d.]+ sd\) that no further window is waited for$/,
    );
    expect(extreme.alerts).toMatchObject([{ cause: 'data_drift' }]);
  });

  it('tells a slow service from a failing one', async () => {
    const { of, alerts } = await watch(
      await world({
        latency: 'CASE WHEN i % 50 = 0 THEN 0.9 ELSE 0.004 END',
        output: 'CASE WHEN i % 20 = 0 THEN NULL ELSE output END',
      }),
    );
    expect(of('p99_ms', 'service')).toMatchObject({ verdict: 'alert', value: 900 });
    expect(of('error_rate', 'service')).toMatchObject({ verdict: 'alert', value: 0.05 });
    expect(alerts.map(({ cause }) => cause)).toContain('service');
  });

  it('alerts when predictions stay away, though no row of the window is there to judge', async () => {
    const bed = await world();
    const { of, alerts, outcome } = await watch(bed, { since: '2013-03-01', until: '2013-03-04' });
    expect(of('throughput', 'service')).toMatchObject({
      ...{ verdict: 'alert', value: 0, threshold: 50 },
      summary:
        '0 predictions a day on the last 3 days, 100 on the same weekdays of 4 weeks before; the limit is 50',
    });
    expect(of('weight')).toMatchObject({ verdict: 'not_enough_data' });
    expect(outcome).toMatchObject({ verdict: 'inconclusive', reason_code: 'service_degraded' });
    expect(alerts.map(({ cause }) => cause)).toEqual(['service']);
    // the last days of a longer window are held against its own weeks before
    const fell = await watch(bed, { until: '2013-03-05' });
    expect(fell.of('throughput', 'service')?.value).toBeCloseTo(300 / 7, 9);
    const calm = await watch(bed);
    expect(calm.of('throughput', 'service')).toMatchObject({ verdict: 'ok', value: 100 });
  });

  it('takes a service that has been silent for weeks for no recovery, whatever older days of the window show', async () => {
    const bed = await world();
    const silent = await watch(bed, { since: '2013-02-14', until: '2013-03-22' });
    for (const name of ['p99_ms', 'error_rate', 'throughput'])
      expect(silent.of(name, 'service')).toMatchObject({
        verdict: 'not_enough_data',
        summary: expect.stringMatching(/^not enough data: (no prediction since 2013-03-15|0 predictions on)/),
      });
    const back = await watch(bed, { since: '2013-01-20', until: '2013-02-25' });
    expect(back.of('p99_ms', 'service')).toMatchObject({ verdict: 'ok' });
    const batches = { service: { min_throughput: 0 } };
    const allowed = await watch(bed, { policy: batches, since: '2013-02-14', until: '2013-03-22' });
    expect(allowed.of('p99_ms', 'service')).toMatchObject({ verdict: 'ok' });
    // what is past its limit stays so
    const policy = { service: { p99_ms: 1 } };
    const slow = await watch(bed, { policy, since: '2013-02-14', until: '2013-03-22' });
    expect(slow.of('p99_ms', 'service')).toMatchObject({ verdict: 'alert' });
  });

  it('says of columns that the policy names and that no input is called, that they are not compared', async () => {
    const bed = await world();
    const some = await watch(bed, { policy: { columns: ['weight', 'wieght'] } });
    expect(some.outcome).toMatchObject({
      ...{ verdict: 'pass', summary: 'None of 1 features moved; not decided: wieght.' },
    });
    expect(some.of('wieght')).toMatchObject({
      verdict: 'not_enough_data',
      summary:
        'not enough data: wieght: monitoring.columns names it, and the training rows have no such input',
    });
    const none = await watch(bed, { policy: { columns: ['wieght'] } });
    expect(none.outcome).toMatchObject({
      ...{ verdict: 'inconclusive', reason_code: 'not_decidable' },
      summary: 'Not enough data: there is no feature to compare.',
    });
  });

  it('takes an input that another version of the window does not take for not decided, and not for nulls', async () => {
    const bed = await world({
      version: 'CASE WHEN d < 14 THEN 1 ELSE 2 END',
      depot: 'CASE WHEN d < 14 THEN depot END',
    });
    const unknown = await watch(bed);
    expect(unknown.of('depot')).toMatchObject({ verdict: 'alert' });
    await register(bed, ['weight', 'distance']);
    const known = await watch(bed);
    expect(known.of('depot')).toMatchObject({
      verdict: 'not_enough_data',
      summary: 'not enough data: depot: version 2 served in the window, and does not take it',
    });
    expect(known.of('weight')).toMatchObject({ verdict: 'ok' });
    expect(known.alerts.map(({ cause }) => cause)).not.toContain('data_drift');
  });

  it('refuses a window that is none, and an environment where nothing runs', async () => {
    const bed = await world({ days: 1 });
    const run = (change: object) =>
      runStage(
        monitor,
        {
          model,
          environment,
          since: '2013-02-01',
          until: '2013-03-01',
          policy: MonitoringPolicy.parse({}),
          labels: null,
          ...change,
        },
        bed.context,
      );
    expect((await run({ until: '2013-02-01' })).error).toMatchObject({ code: 'usage' });
    expect((await run({ environment: 'staging' })).error).toMatchObject({ code: 'nothing_deployed' });
    expect((await run({ model: 'other' })).error).toMatchObject({ code: 'model_unknown' });
  });
});
