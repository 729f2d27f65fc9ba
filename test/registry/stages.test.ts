import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { statusLines } from '../../src/cli/views.ts';
import { exitCode } from '../../src/outcome.ts';
import { runStage } from '../../src/stages/define.ts';
import { exportModel } from '../../src/stages/export.ts';
import { history } from '../../src/stages/history.ts';
import { lock } from '../../src/stages/lock.ts';
import { promote } from '../../src/stages/promote.ts';
import { register } from '../../src/stages/register.ts';
import { retire } from '../../src/stages/retire.ts';
import { rollback } from '../../src/stages/rollback.ts';
import { status } from '../../src/stages/status.ts';
import { unlock } from '../../src/stages/unlock.ts';
import { verify } from '../../src/stages/verify.ts';
import {
  contextOf,
  environments,
  model,
  openRegistry,
  promotion,
  storeRun,
  temporaryFolder,
} from './world.ts';

/** Two versions that differ in seed, rows and depth; both in staging and production, the second last. */
async function deployed() {
  const context = contextOf(openRegistry(temporaryFolder()));
  for (const [seed, rows, depth] of [
    [1, 1000, 3],
    [2, 2000, 5],
  ] as const) {
    const gate = await storeRun(context.store, { seed, rows, params: { depth } });
    await runStage(register, { model, gate }, context);
    for (const environment of environments) await runStage(promote, { ...promotion, environment }, context);
  }
  return context;
}
const back = { ...promotion, environment: 'production' };

describe('stages of the registry', () => {
  it('[REG-2] status: what runs where, since when, on which data, what changed, what a rollback restores', async () => {
    const context = await deployed();
    const { verdict, outputs } = await runStage(status, { model, at: null }, context);
    expect(verdict).toBe('pass');
    expect(outputs.environments?.map((each) => each.environment)).toEqual(environments);
    expect(outputs.environments?.[1]).toMatchObject({
      environment: 'production',
      version: 2,
      generation: 2,
      verdict: 'pass',
      commit: 'c0ffee',
      trained_at: '2026-01-01T00:00:00Z',
      data: { window: { from: '2013-01-01', until: '2013-02-01' }, rows: 2000 },
      metrics: { auc: 0.7 },
      evaluation: { set: { id: 'june' }, metrics: { auc: 0.68 } },
      rollback_to: 1,
      lock: null,
    });
    const changed = Object.fromEntries(
      (outputs.environments?.[1]?.changed ?? []).map(({ what, before, after }) => [what, [before, after]]),
    );
    expect(changed).toMatchObject({ 'data.rows': [1000, 2000], 'params.depth': [3, 5] });
    expect(Object.keys(changed).sort()).toEqual([
      ...['data.dataset', 'data.rows', 'model.onnx', 'package', 'params.depth', 'seed'],
    ]);
    expect(outputs.last_drill).toBeNull();
  });

  it('[REG-2] [DEP-5] status tells the last rollback drill, and whether it came back', async () => {
    const context = await deployed();
    const drill = { model, environment: 'staging', environments, freeze: false, reason: 'rollback drill' };
    const half = (name: string, version: number) =>
      runStage(rollback, { ...drill, version, op_id: `drill-3-1-${name}` }, context);
    expect((await half('back', 1)).summary).toContain('Version 2 may be promoted there again.');
    const told = { environment: 'staging', from: 2, to: 1 };
    const during = await runStage(status, { model, at: null }, context);
    expect(during.outputs.last_drill).toMatchObject({
      ...told,
      verdict: 'fail',
      restored_at: null,
      seconds: null,
    });
    await half('restore', 2);
    const { outputs } = await runStage(status, { model, at: null }, context);
    expect(outputs.last_drill).toMatchObject({ ...told, verdict: 'pass', seconds: expect.any(Number) });
    expect(outputs.environments?.[0]).toMatchObject({ version: 2, rollback_to: 1 });
    expect(statusLines(outputs).at(-1)).toMatch(
      /^last rollback drill: staging from 2 to 1 at \S+, returned after [\d.]+ s$/,
    );
  });

  it.each([
    ['the same rows', 'e', { 'evaluation.metrics.auc': [0.68, 0.71] }],
    ['other rows', 'f', { 'evaluation.set': [`june (${'e'.repeat(12)})`, `july (${'f'.repeat(12)})`] }],
  ])(
    '[REG-2] status compares what the gates saw on %s, never what trainings reported',
    async (_, set, expected) => {
      const context = contextOf(openRegistry(temporaryFolder()));
      const params = { depth: 3 };
      const facts = (auc: number) => ({ params, metrics: { auc }, trained_at: '2026-01-01T00:00:00Z' });
      for (const recipe of [
        { seed: 1, model: { facts: facts(0.76) } },
        {
          seed: 2,
          model: { facts: facts(0.73) },
          gate: { facts: { verdict: 'pass', metrics: { auc: 0.71 } } },
          evaluation: {
            facts: {
              rows: 10,
              evaluation_set: { id: set === 'e' ? 'june' : 'july', sha256: set.repeat(64) },
            },
          },
        },
      ]) {
        const gate = await storeRun(context.store, recipe);
        await runStage(register, { model, gate }, context);
        await runStage(promote, promotion, context);
      }
      const { outputs } = await runStage(status, { model, at: null }, context);
      const changed = outputs.environments?.[0]?.changed ?? [];
      const told = Object.fromEntries(changed.map(({ what, before, after }) => [what, [before, after]]));
      const digest = expect.any(String);
      const digests = { package: [digest, digest], 'model.onnx': [digest, digest] };
      expect(told).toEqual({ ...digests, ...expected });
      expect(changed.some(({ note }) => note?.includes('cannot be compared'))).toBe(set === 'f');
    },
  );

  it('[REG-3] status --at tells a past moment, before the first entry too', async () => {
    const context = await deployed();
    const { outputs } = await runStage(status, { model, at: '2020-01-01' }, context);
    expect(outputs).toMatchObject({ environments: [], versions: 0, seq: 0 });
    const late = await runStage(status, { model, at: new Date().toISOString() }, context);
    expect(late.outputs.environments).toHaveLength(2);
    const future = await runStage(status, { model, at: '2999-01-01T00:00' }, context);
    expect(future).toMatchObject({ verdict: 'error', reason_code: 'usage' });
    const unknown = await runStage(status, { model: 'unknown', at: null }, context);
    expect(unknown).toMatchObject({ verdict: 'error', reason_code: 'model_unknown' });
  });

  it('[REG-2] status of one environment says what serves there, for scripts, and nothing of a new model', async () => {
    const context = await deployed();
    const of = async (environment: string | null, name = model) => {
      const asked = { model: name, at: null, environment, may_be_new: true };
      const { verdict, summary, outputs } = await runStage(status, asked, context);
      const { environments, version, generation, rollback_to } = outputs;
      return {
        verdict,
        summary,
        names: environments?.map((one) => one.environment),
        version,
        generation,
        rollback_to,
      };
    };
    const nothing = { version: null, generation: null, rollback_to: null };
    expect(await of('staging')).toMatchObject({ names: ['staging'], version: 2, rollback_to: 1 });
    expect(await of('elsewhere')).toMatchObject({
      ...{ verdict: 'pass', names: [], summary: expect.stringContaining('nothing in elsewhere'), ...nothing },
    });
    expect(await of('staging', 'new')).toMatchObject({ verdict: 'pass', names: [], ...nothing });
    // without an environment there is no one version to tell
    expect(await of(null)).toMatchObject(nothing);
    const strict = await runStage(status, { model: 'new', at: null, environment: 'staging' }, context);
    expect(strict).toMatchObject({ verdict: 'error', error: { code: 'model_unknown' } });
  });

  it('status, history and export say that there is no store, with its place, where there is none', async () => {
    const folder = temporaryFolder();
    const nowhere = join(folder, 'nowhere');
    const context = contextOf(openRegistry(nowhere));
    const told = [
      await runStage(status, { model, at: null }, context),
      await runStage(status, { model, at: null, may_be_new: true }, context),
      await runStage(status, { model, at: '2020-01-01' }, context),
      await runStage(history, { model }, context),
      await runStage(exportModel, { model, store: join(folder, 'other') }, context),
    ];
    for (const one of told) {
      expect(one).toMatchObject({ reason_code: 'storage_unavailable', error: { where: nowhere } });
    }
    expect(readdirSync(folder)).toEqual([]);
  });

  it('[DEP-4] rollback restores the previous version and reports the seconds it took', async () => {
    const context = await deployed();
    const rolled = await runStage(rollback, back, context);
    expect(rolled).toMatchObject({
      verdict: 'pass',
      reason_code: 'done',
      outputs: { from: 2, to: 1, environment: 'production', generation: 3, dry_run: false },
    });
    expect(rolled.outputs.seconds).toBeGreaterThanOrEqual(0);
    expect(rolled.outputs.seconds).toBeLessThanOrEqual(rolled.timings.total ?? 0);
    const { entry, head } = await context.registry.entry(model, rolled.outputs.seq ?? 0);
    expect(entry).toMatchObject({ type: 'rollback', version: 1, from: 2 });
    expect(rolled.outputs.head).toBe(head);
    const { outputs } = await runStage(status, { model, at: null }, context);
    expect(outputs.environments?.[1]).toMatchObject({ version: 1, rollback_to: null });
  });

  it('[GAT-4] promote refuses a version that failed, and the outcome says so', async () => {
    const context = await deployed();
    const gate = await storeRun(context.store, { seed: 3, verdict: 'fail' });
    const registered = await runStage(register, { model, gate }, context);
    expect(registered.outputs).toMatchObject({ version: 3, gate_verdict: 'fail' });
    const override = { by: 'alice', reason: 'please' };
    const refused = await runStage(promote, { ...promotion, version: 3, override }, context);
    expect(refused).toMatchObject({ verdict: 'error', reason_code: 'not_passed', outputs: {} });
    expect(exitCode(refused)).toBe(1);
    const newest = await runStage(promote, { ...promotion, version: null }, context);
    expect(newest).toMatchObject({ reason_code: 'nothing_to_do', outputs: { to: 2 } });
  });

  it('[TRN-10] register a second time does nothing and gives the same version', async () => {
    const context = contextOf(openRegistry(temporaryFolder()));
    const gate = await storeRun(context.store);
    const first = await runStage(register, { model, gate }, context);
    const second = await runStage(register, { model, gate }, context);
    expect(first.reason_code).toBe('done');
    expect(second).toMatchObject({ reason_code: 'nothing_to_do', outputs: first.outputs });
  });

  it('lock, unlock, retire and history', async () => {
    const context = await deployed();
    const held = { model, environment: 'staging', environments, op_id: null, reason: 'audit' };
    const locked = await runStage(lock, { ...held, ttl: '2h' }, context);
    const { owner, until, seq = 0 } = locked.outputs;
    expect(owner).toBe('alice');
    const { at } = (await context.registry.entry(model, seq)).entry;
    expect(Date.parse(until ?? '') - Date.parse(at)).toBe(7_200_000);
    expect((await runStage(unlock, { ...held, force: false }, context)).reason_code).toBe('done');
    const retiring = { model, version: 1, op_id: null, reason: null };
    expect((await runStage(retire, retiring, context)).reason_code).toBe('done');
    const { outputs } = await runStage(history, { model }, context);
    expect(outputs.entries?.map(({ type }) => type).slice(-3)).toEqual(['lock', 'unlock', 'retire']);
    expect(outputs.entries?.at(-1)?.sha256).toBe(outputs.head);
  });

  it('verify: the verdict fits the answer, and a bad anchor is the user’s mistake', async () => {
    const context = await deployed();
    const { seq, head } = await context.registry.state(model);
    const check = async (anchor: string | null) => {
      const outcome = await runStage(verify, { anchors: anchor === null ? [] : [anchor] }, context);
      return [outcome.outputs.answer, exitCode(outcome)];
    };
    expect(await check(null)).toEqual(['sound', 0]);
    expect(await check(`${seq}:${head}`)).toEqual(['sound', 0]);
    expect(await check('')).toEqual(['unanchored', 2]);
    expect(await check(`${seq + 1}:${head}`)).toEqual(['rolled_back', 1]);
    expect(await check(`${seq - 1}:${head}`)).toEqual(['forked', 1]);
    expect(await check('latest')).toEqual([undefined, 1]);
  });
});
