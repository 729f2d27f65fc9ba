import { readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { pipelineMetrics } from '../../src/monitoring/pipeline-metrics.ts';
import { register } from '../../src/registry/register.ts';
import { metricsText } from '../../src/report/metrics-text.ts';
import { runStage } from '../../src/stages/define.ts';
import { metrics } from '../../src/stages/metrics.ts';
import { promote } from '../../src/stages/promote.ts';
import { rollback } from '../../src/stages/rollback.ts';
import { keys } from '../../src/store/keys.ts';
import { parseOpenMetrics } from '../monitoring/openmetrics.ts';
import {
  Clock,
  contextOf,
  model,
  openRegistry,
  promotion,
  registerVersions,
  storeRun,
  temporaryFolder,
} from '../registry/world.ts';

const digest = (letter: string) => letter.repeat(64);

/** A store with two passed versions and one that failed, moves of two environments, and three validations. */
async function world() {
  const folder = temporaryFolder();
  const clock = new Clock();
  const registry = openRegistry(path.join(folder, 'store'), clock.now);
  await registerVersions(registry, 2);
  const failed = await storeRun(registry.store, { seed: 3, gate: { facts: { verdict: 'fail' } } });
  await register(registry, { model, gate: failed, actor: { name: 'ann', via: 'cli' } });
  const context = contextOf(registry);
  const move = async (version: number, environment: string) =>
    expect(await runStage(promote, { ...promotion, version, environment }, context)).toMatchObject({
      verdict: 'pass',
    });
  await move(1, 'staging');
  await move(1, 'production');
  await move(2, 'staging');
  clock.forward(86_400_000);
  await move(2, 'production');
  const { override: _, ...back } = promotion;
  const undone = await runStage(rollback, { ...back, reason: 'worse', environment: 'production' }, context);
  expect(undone).toMatchObject({ verdict: 'pass' });
  for (const [letter, verdict, warn] of [
    ['a', 'pass', 0],
    ['b', 'pass', 2],
    ['c', 'fail', 1],
  ] as const) {
    const value = {
      ...{ stage: 'validate', verdict },
      inputs: { model, dataset: digest('d'), contracts: {}, as_of: '2026-01-01' },
      outputs: { counts: { pass: 40, warn, fail: verdict === 'fail' ? 3 : 0 }, checks: [] },
    };
    const entry = { schema: 'modelgate.cache/1', names: [], value };
    await registry.store.storage.create(
      keys.cache('validate', digest(letter)),
      Buffer.from(JSON.stringify(entry)),
    );
  }
  return { folder, context, registry };
}

describe('[OBS-2] the quality of the pipeline as metrics', () => {
  it('counts validations, gate verdicts, registrations and moves, in OpenMetrics that a strict reader takes', async () => {
    const { folder, context } = await world();
    const output = path.join(folder, 'modelgate.txt');
    await writeFile(output, 'what was there before');
    const outcome = await runStage(metrics, { output, format: 'openmetrics' }, context);
    expect(outcome).toMatchObject({ verdict: 'pass', outputs: { file: output, models: 1 } });
    const read = parseOpenMetrics(await readFile(output, 'utf8'));
    const value = (sample: string) => {
      for (const { samples } of read.values()) if (samples.has(sample)) return samples.get(sample);
      return undefined;
    };
    const of = `model="${model}"`;
    expect(value(`modelgate_registrations_total{${of}}`)).toBe(3);
    expect(value(`modelgate_gate_verdicts_total{${of},verdict="pass"}`)).toBe(2);
    expect(value(`modelgate_gate_verdicts_total{${of},verdict="fail"}`)).toBe(1);
    expect(value(`modelgate_gate_verdicts_total{${of},verdict="inconclusive"}`)).toBe(0);
    expect(value(`modelgate_promotions_total{${of}}`)).toBe(4);
    expect(value(`modelgate_rollbacks_total{${of}}`)).toBe(1);
    expect(value(`modelgate_overrides_total{${of}}`)).toBe(0);
    expect(value(`modelgate_moves_total{${of},environment="production"}`)).toBe(3);
    expect(value(`modelgate_environment_version{${of},environment="production"}`)).toBe(1);
    expect(value(`modelgate_environment_since_timestamp_seconds{${of},environment="production"}`)).toBe(
      Date.parse('2026-01-02T00:00:00Z') / 1000,
    );
    const validations = (verdict: string, failure: string) =>
      value(`modelgate_validations{${of},verdict="${verdict}",failure_class="${failure}"}`);
    expect([validations('pass', 'none'), validations('warn', 'none'), validations('fail', 'data')]).toEqual([
      1, 1, 1,
    ]);
    expect(read.get('modelgate_promotions')).toMatchObject({ type: 'counter' });
    expect((await readdir(folder)).filter((name) => name.includes('partial'))).toEqual([]);
  });

  it('is also written in the older format, where a counter has its whole name', async () => {
    const { folder, context } = await world();
    const output = path.join(folder, 'modelgate.prom');
    await runStage(metrics, { output, format: 'prometheus' }, context);
    const text = await readFile(output, 'utf8');
    expect(text).toContain('# TYPE modelgate_promotions_total counter\n');
    expect(text).toContain(`modelgate_promotions_total{model="${model}"} 4\n`);
    expect(text).not.toContain('# EOF');
  });

  it('tells of a broken log, and hides no other model behind it', async () => {
    const { folder, context, registry } = await world();
    await registry.store.storage.replace(keys.log(model, 2), Buffer.from('{}'));
    await registry.store.storage.create(keys.log('another', 1), Buffer.from('{}'));
    const fresh = contextOf(openRegistry(path.join(folder, 'store')));
    const output = path.join(folder, 'modelgate.txt');
    expect(
      await runStage(metrics, { output, format: 'openmetrics' }, { ...context, ...fresh }),
    ).toMatchObject({
      verdict: 'pass',
    });
    const read = parseOpenMetrics(await readFile(output, 'utf8'));
    expect(
      read.get('modelgate_registry_readable')?.samples.get('modelgate_registry_readable{model="another"}'),
    ).toBe(0);
  });

  it('says what to do where the file cannot be written, and leaves nothing behind', async () => {
    const { folder, context } = await world();
    const run = (output: string) => runStage(metrics, { output, format: 'openmetrics' }, context);
    expect((await run(path.join(folder, 'none', 'm.txt'))).error).toMatchObject({ code: 'usage' });
    expect((await run(folder)).error).toMatchObject({ code: 'usage' });
    expect((await readdir(path.dirname(folder))).filter((name) => name.endsWith('.partial'))).toEqual([]);
  });

  it('writes any value of a label so that it is read back as one label', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (word) => {
        const families = [
          {
            name: 'a',
            help: 'b \\ "c"\nd',
            type: 'gauge' as const,
            samples: [{ labels: { word }, value: 1.5e-7 }],
          },
        ];
        const [family] = parseOpenMetrics(metricsText(families, 'openmetrics')).values();
        const [[sample] = ['']] = family?.samples ?? [];
        expect(sample.length).toBeLessThan(420);
      }),
      { seed: 4, numRuns: 100 },
    );
    expect(metricsText(pipelineMetrics([], []), 'openmetrics')).toBe('# EOF\n');
  });
});
