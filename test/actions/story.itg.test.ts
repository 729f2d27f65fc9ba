import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type JobResult, root, runJob } from './job.ts';
import { ResultsService } from './results-service.ts';

const model = 'flights-late';
const examples = 'examples/flights';

let service: ResultsService;
let home: string;
/** The store that evaluation, gate, registry and promotions share; every other job has its own, empty one. */
let registry: string;
let jobs = 0;

beforeAll(async () => {
  if (!existsSync(path.join(root, 'dist/stage.js'))) {
    execFileSync(process.execPath, ['scripts/build.ts'], { cwd: root });
  }
  service = await ResultsService.start();
  home = await mkdtemp(path.join(os.tmpdir(), 'story-'));
  registry = path.join(home, 'registry');
});

afterAll(async () => {
  await service[Symbol.asyncDispose]();
  await rm(home, { recursive: true, force: true });
});

interface Options {
  /** The workflow run: artifacts are seen inside it alone. */
  run: string;
  store?: string;
  exit?: number;
}

async function job(action: string, inputs: Record<string, string>, options: Options): Promise<JobResult> {
  jobs += 1;
  const result = await runJob({
    action,
    with: {
      'working-directory': examples,
      store: options.store ?? path.join(home, `store-${jobs}`),
      ...inputs,
    },
    home,
    workspace: root,
    env: service.variables(options.run, `job-${jobs}`),
  });
  const said = `${action}: ${result.outputs['reason-code']}\n${result.log.slice(-3000)}`;
  expect(result.exitCode, said).toBe(options.exit ?? 0);
  expect(result.summary).toContain('ModelGate');
  expect(result.log).not.toContain(service.variables(options.run, `job-${jobs}`).ACTIONS_RUNTIME_TOKEN);
  return result;
}

/**
 * A candidate's configuration with noise of retraining that is given: ten trainings are the whole story's (test/story),
 * not that of the actions.
 */
async function withGivenNoise(candidate: string): Promise<string> {
  const policy = await readFile(path.join(root, examples, 'gate.yaml'), 'utf8');
  const given = policy.replace('{ retrain: 5 }', '{ auc: 0.002, log_loss: 0.002, cost_minutes: 0.1 }');
  expect(given).not.toBe(policy);
  await writeFile(path.join(home, 'gate.yaml'), given);
  const config = path.join(home, candidate);
  await writeFile(
    config,
    `extends: ${path.join(root, examples, 'candidates', candidate)}\ngate: gate.yaml\n`,
  );
  return config;
}

/** Evaluation, gate and registration of a trained model, as the second job of train.yml. */
async function judge(trained: JobResult, config: string, run: string, exit = 0) {
  const shared = { run, store: registry };
  const inputs = { config, 'from-artifacts': 'modelgate-train', model: trained.outputs.model! };
  const evaluated = await job('evaluate', inputs, shared);
  const { evaluation } = evaluated.outputs;
  const gated = await job('gate', { config, evaluation: evaluation! }, { ...shared, exit });
  const registered = await job('register', { config, gate: gated.outputs.gate! }, shared);
  return { evaluated, gated, registered, version: registered.outputs.version! };
}

describe('the story as workflow jobs on the built actions', () => {
  it('[TRN-12] January becomes version 1, each stage a job of its own; the same inputs are read back', async () => {
    const run = 'january';
    const ingested = await job('ingest', {}, { run });
    const { dataset } = ingested.outputs;
    const fromIngest = { 'from-artifacts': 'modelgate-ingest', dataset: dataset! };
    await job('validate', fromIngest, { run });
    const made = await job('features', fromIngest, { run });
    expect(Number(made.outputs.rows)).toBeGreaterThan(10_000);
    const parts = await job(
      'split',
      { 'from-artifacts': 'modelgate-features', features: made.outputs.features! },
      { run },
    );
    const store = path.join(home, 'trainer');
    const toTrain = { 'from-artifacts': 'modelgate-split', split: parts.outputs.split! };
    const trained = await job('train', toTrain, { run, store });
    expect(trained.outputs.cached).toBe('false');

    const { gated, version } = await judge(trained, 'modelgate.yaml', run);
    expect(gated.outputs.verdict).toBe('pass');
    expect(version).toBe('1');
    for (const to of ['staging', 'production']) {
      const inputs = { model: `${model}@1`, to, 'upload-artifact': 'none' };
      const moved = await job('promote', inputs, { run, store: registry });
      expect(moved.outputs).toMatchObject({ environment: to, to: '1', generation: '1' });
    }

    // The same code, data and configuration are read back; another configuration is not
    const again = { ...toTrain, 'from-artifacts': '', 'upload-artifact': 'none' };
    expect((await job('train', again, { run, store })).outputs).toMatchObject({
      cached: 'true',
      model: trained.outputs.model,
    });
    const seed = path.join(home, 'seed.yaml');
    await writeFile(seed, `extends: ${path.join(root, examples, 'modelgate.yaml')}\ntrain: { seed: 7 }\n`);
    const other = await job('train', { ...again, config: seed }, { run, store });
    expect(other.outputs.cached).toBe('false');
    expect(other.outputs.model).not.toBe(trained.outputs.model);
  }, 600_000);

  it('a candidate with weather passes beside version 1 and is promoted', async () => {
    const run = 'weather';
    const config = await withGivenNoise('weather.yaml');
    const trained = await job('train', { config }, { run });
    const { gated, version } = await judge(trained, config, run);
    expect(gated.outputs.verdict).toBe('pass');
    expect(gated.summary.length).toBeGreaterThan(500); // the report stands below the table
    for (const to of ['staging', 'production']) {
      const inputs = { config, model: `${model}@${version}`, to };
      const moved = await job('promote', inputs, { run: `${run}-${to}`, store: registry });
      expect(moved.outputs).toMatchObject({ from: '1', to: version, generation: '2' });
    }
    const status = await job('status', { config, model }, { run: 'status', store: registry });
    expect(status.outputs.model).toBe(model);
  }, 600_000);

  it('[GAT-1] a worse candidate turns the gate red, and promote of it is refused', async () => {
    const run = 'worse';
    const config = await withGivenNoise('no-schedule.yaml');
    const trained = await job('train', { config }, { run });
    const { gated, version } = await judge(trained, config, run, 1);
    expect(gated.outputs).toMatchObject({ verdict: 'fail', 'reason-code': 'gate_failed' });
    expect(gated.errors.length).toBeGreaterThan(0);

    const refused = await job(
      'promote',
      { config, model: `${model}@${version}`, to: 'staging' },
      { run: 'refused', store: registry, exit: 1 },
    );
    expect(refused.outputs['reason-code']).toBe('not_passed');
    expect(refused.errors.join('\n')).toContain('not_passed');
  }, 600_000);

  it('[VAL-6] a stale batch is red on the line of its contract, and no later stage starts', async () => {
    for (const action of ['validate', 'train']) {
      const inputs = { 'as-of': '2013-06-01', 'upload-artifact': 'none' };
      const refused = await job(action, inputs, { run: 'stale', exit: 1 });
      expect(refused.outputs).toMatchObject({ verdict: 'fail', 'reason-code': 'contract_failed' });
      expect(refused.outputs).not.toHaveProperty('model');
      expect(refused.errors[0]).toMatch(/file=examples\/flights\/contracts\/flights\.yaml,line=\d+/);
      expect(refused.summary).toContain('validate: ❌ fail');
    }
  }, 120_000);

  it('the façade runs the stage that it is told', async () => {
    const status = await job('.', { stage: 'status', model }, { run: 'facade', store: registry });
    expect(status.outputs.verdict).toBe('pass');
    const unknown = await job('.', { stage: 'stauts' }, { run: 'facade-2', store: registry, exit: 1 });
    expect(unknown.outputs['reason-code']).toBe('usage');
  }, 60_000);
});
