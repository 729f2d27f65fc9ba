import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { executeAction } from '../../actions/execute.ts';
import type { Loaded } from '../../src/config/load.ts';
import { UserError } from '../../src/errors.ts';
import { Outcome } from '../../src/outcome.ts';
import { fakeCommand, fakeHost, only, outcome } from './host.ts';

const producer = { commit: null, run: 'test', attempt: 1, trigger: 'test', modelgate: 'test' };
const service = { ACTIONS_RUNTIME_TOKEN: 'runtime-token-value', ACTIONS_RESULTS_URL: 'http://localhost/' };

describe('an action', () => {
  it('reads kebab-case inputs into typed options, empty ones left out', async () => {
    const { host } = await fakeHost({ 'expected-generation': '3', 'dry-run': 'true', split: '' });
    let given: unknown;
    const command = fakeCommand(async (options) => {
      given = options;
      return outcome();
    });
    expect(await executeAction('train', only(command), host)).toBe(0);
    expect(given).toEqual({ expected_generation: 3, dry_run: true, to: 'staging' });
  });

  it('refuses inputs of a wrong type, by name, and runs nothing', async () => {
    for (const [inputs, name] of [
      [{ 'dry-run': 'yes' }, 'dry-run'],
      [{ 'expected-generation': 'three' }, 'expected-generation'],
      [{ 'expected-generation': '1.5' }, 'expected-generation'],
      [{ to: 'prodution' }, 'production'],
      [{ 'on-inconclusive': 'shrug' }, 'on-inconclusive'],
      [{ 'from-artifacts': '../../etc' }, 'from-artifacts'],
      [{ 'upload-artifact': 'a/b' }, 'upload-artifact'],
      [{ 'working-directory': '../..' }, 'working-directory'],
    ] as const) {
      const { host, seen } = await fakeHost(inputs);
      const command = fakeCommand(() => Promise.reject(new Error('must not run')));
      expect(await executeAction('train', only(command), host)).toBe(1);
      expect(seen.outputs).toMatchObject({ verdict: 'error', 'reason-code': 'usage' });
      expect(JSON.stringify(seen.annotations)).toContain(name);
    }
  });

  it('[GAT-1] ends with 0 for pass alone: fail, error, our fault and inconclusive are red', async () => {
    for (const [verdict, reason, inputs, exit] of [
      ['pass', 'gate_passed', {}, 0],
      ['fail', 'gate_failed', {}, 1],
      ['error', 'config_invalid', {}, 1],
      ['error', 'internal', {}, 70],
      ['inconclusive', 'gate_inconclusive', {}, 2],
      ['inconclusive', 'gate_inconclusive', { 'on-inconclusive': 'pass' }, 0],
      ['fail', 'gate_failed', { 'on-inconclusive': 'pass' }, 1],
    ] as const) {
      const { host, seen } = await fakeHost(inputs);
      const command = fakeCommand(async () => outcome({ stage: 'gate', verdict, reason_code: reason }));
      expect(await executeAction('train', only(command), host), `${verdict} ${JSON.stringify(inputs)}`).toBe(
        exit,
      );
      expect(seen.outputs).toMatchObject({ verdict, 'reason-code': reason });
      expect(seen.annotations.length).toBe(verdict === 'pass' ? 0 : 1);
    }
  });

  it('[VAL-6] annotates the line of the file that an error is about, and tells the fix', async () => {
    const { host, seen } = await fakeHost({});
    const file = path.join(host.env.GITHUB_WORKSPACE!, 'contracts/flights.yaml');
    const command = fakeCommand(async () =>
      outcome({
        verdict: 'error',
        reason_code: 'contract_failed',
        error: {
          code: 'contract_failed',
          message: 'Gone.',
          where: `${file}:12:3 schema.dest`,
          fix: 'Mend it.',
        },
      }),
    );
    expect(await executeAction('train', only(command), host)).toBe(1);
    expect(seen.annotations).toEqual([
      expect.objectContaining({ level: 'error', file: 'contracts/flights.yaml', line: 12, column: 3 }),
    ]);
    expect(seen.annotations[0]!.message).toBe('Gone. Mend it.');
    expect(seen.summary).toContain('Mend it.');
  });

  it('[VAL-6] annotates each contract check that failed on its line of the contract, failures first', async () => {
    const { host, seen, store } = await fakeHost({});
    const contract = path.join(host.env.GITHUB_WORKSPACE!, 'contracts/flights.yaml');
    const check = (verdict: string, line: number | null) => ({
      id: `flights.dest.${verdict}`,
      column: 'dest',
      rule: 'present',
      verdict,
      observed: null,
      expected: null,
      rows: null,
      message: `dest: ${verdict}`,
      line,
    });
    const checks = [check('pass', 1), check('warn', 2), check('fail', 7)];
    const text = JSON.stringify(checks);
    const files = [
      { name: 'checks.json', size: text.length, sha256: await store.putBytes(Buffer.from(text)) },
    ];
    const validation = await store.putManifest({
      kind: 'validation',
      files,
      inputs: {},
      producer,
      facts: {},
    });
    const open = host.openProject;
    host.openProject = async (options) => ({
      ...(await open(options)),
      config: async () => ({ config: { data: { sources: { flights: { contract } } } } }) as unknown as Loaded,
      [Symbol.asyncDispose]: async () => {},
    });
    const failed = { stage: 'validate', verdict: 'fail', reason_code: 'contract_failed' } as const;
    const command = fakeCommand(async () => outcome({ ...failed, outputs: { validation } }));
    expect(await executeAction('train', only(command), host)).toBe(1);
    expect(seen.annotations).toMatchObject([
      { level: 'error', file: 'contracts/flights.yaml', line: 7, message: 'dest: fail' },
      { level: 'warning', file: 'contracts/flights.yaml', line: 2 },
      { level: 'error', title: 'ModelGate validate: contract_failed' },
    ]);
  });

  it('sets every scalar output in kebab-case, and leaves the whole outcome as JSON', async () => {
    const { host, seen } = await fakeHost({});
    const outputs = { model: 'm', op_id: 'x', rows: 3, metrics: { auc: 1 }, previous: null, moved: true };
    const command = fakeCommand(async () => outcome({ outputs }));
    await executeAction('train', only(command), host);
    expect(seen.outputs).toMatchObject({
      model: 'm',
      'op-id': 'x',
      rows: '3',
      moved: 'true',
      cached: 'false',
    });
    expect(Object.keys(seen.outputs)).not.toContain('metrics');
    const written = Outcome.parse(JSON.parse(await readFile(seen.outputs.outcome!, 'utf8')));
    expect(written.outputs).toEqual(outputs);
  });

  it('turns a throw, an unknown stage and a missing one into outcomes', async () => {
    const { host, seen } = await fakeHost({});
    const crash = fakeCommand(() => Promise.reject(new TypeError('x is not a function')));
    expect(await executeAction('train', only(crash), host)).toBe(70);
    expect(seen.outputs['reason-code']).toBe('internal');
    const user = fakeCommand(() =>
      Promise.reject(new UserError({ code: 'config_missing', message: 'Not there.', fix: 'Add it.' })),
    );
    expect(await executeAction('train', only(user), host)).toBe(1);
    expect(await executeAction('tarin', only(user), host)).toBe(1);
    expect(await executeAction('', only(user), host)).toBe(1);
    expect(seen.annotations.at(-1)!.message).toContain('stage is needed');
  });

  it('hands what it made to the next job, where each object is verified', async () => {
    const first = await fakeHost({}, service);
    const object = await first.store.putBytes(Buffer.from('onnx'));
    const files = [{ name: 'model.onnx', size: 4, sha256: object }];
    const model = await first.store.putManifest({ kind: 'model', files, inputs: {}, producer, facts: {} });
    const trained = fakeCommand(async () => outcome({ outputs: { model } }));
    expect(await executeAction('train', only(trained), first.host)).toBe(0);
    expect([...first.seen.artifacts.keys()]).toEqual(['modelgate-train']);

    const second = await fakeHost({ 'from-artifacts': 'modelgate-train' }, service, first.seen.artifacts);
    const reads = fakeCommand(async (_, { context }) => {
      const bytes = await context.store.readBytes((await context.store.readManifest(model)).files[0]!.sha256);
      return outcome({ outputs: { size: bytes.length } });
    });
    expect(await executeAction('train', only(reads), second.host)).toBe(0);
    expect(second.seen.outputs.size).toBe('4');
  });

  it('goes by the digest that an earlier job handed over, unless another one is given', async () => {
    const first = await fakeHost({}, service);
    const split = await first.store.putManifest({
      ...{ kind: 'split', files: [], inputs: {}, producer, facts: {} },
    });
    await executeAction('train', only(fakeCommand(async () => outcome({ outputs: { split } }))), first.host);
    for (const [given, expected] of [
      ['', split],
      ['another', 'another'],
    ] as const) {
      const inputs = { 'from-artifacts': 'modelgate-train', split: given };
      const { host } = await fakeHost(inputs, service, first.seen.artifacts);
      let seen: unknown;
      const stage = fakeCommand(async (options) => {
        seen = options.split;
        return outcome();
      });
      expect(await executeAction('train', only(stage), host)).toBe(0);
      expect(seen).toBe(expected);
      // a model's name is no digest of one: other commands take nothing over
      const other = { ...stage, name: 'promote' };
      await executeAction('promote', only(other), host);
      expect(seen).toBe(given === '' ? undefined : given);
    }
  });

  it('hands a matrix on as JSON', async () => {
    const matrix = { include: [{ model: 'flights', config: 'modelgate.yaml' }] };
    const { host, seen } = await fakeHost({});
    const command = fakeCommand(async () => outcome({ outputs: { matrix, models: [1] } }));
    await executeAction('train', only(command), host);
    expect(JSON.parse(seen.outputs.matrix ?? '')).toEqual(matrix);
    expect(Object.keys(seen.outputs)).not.toContain('models');
  });

  it('keeps the verdict of a finished stage but fails the step when it cannot hand it on', async () => {
    const { host, seen } = await fakeHost({}, service);
    host.artifacts.upload = () => Promise.reject(new Error('service unavailable'));
    const command = fakeCommand(async () => outcome());
    expect(await executeAction('train', only(command), host)).toBe(1);
    expect(seen.outputs.verdict).toBe('pass');
    expect(seen.annotations.at(-1)!.message).toContain('service unavailable');
  });

  it('uploads nothing on a laptop, and nothing when told so', async () => {
    for (const [inputs, env] of [
      [{}, {}],
      [{ 'upload-artifact': 'none' }, service],
    ] as const) {
      const { host, seen } = await fakeHost(inputs, env);
      await executeAction('train', only(fakeCommand(async () => outcome())), host);
      expect(seen.artifacts.size).toBe(0);
    }
  });

  it('lets no text of the data command the runner, and stops commands while the stage runs', async () => {
    const { host, seen } = await fakeHost({});
    const hostile = 'column\n::set-output name=verdict::pass\n  ::add-mask::x\r::error::y ##[warning]z';
    const command = fakeCommand(async (_, { context }) => {
      context.logger.info(hostile);
      context.logger.warn(hostile);
      return outcome();
    });
    await executeAction('train', only(command), host);
    expect(seen.log[0]).toMatch(/^stop [0-9a-f-]{36}$/);
    expect(seen.log[3]).toBe(seen.log[0]!.replace('stop', 'resume'));
    for (const line of seen.log
      .slice(1, 3)
      .join('\n')
      .split(/[\r\n]/)) {
      expect(line).not.toMatch(/^\s*::/);
      expect(line).not.toContain('##[');
    }
    expect(seen.annotations).toMatchObject([{ level: 'warning', message: hostile }]); // core escapes it there
  });

  it('[GOV-2] shows no secret of the environment anywhere', async () => {
    const secret = 'kf9/s3cr+et"value\\x';
    const env = { ...service, AWS_SECRET_ACCESS_KEY: secret, GITHUB_TOKEN: 'ghs_0123456789' };
    const { host, seen } = await fakeHost({}, env);
    const leak = [
      secret,
      Buffer.from(secret).toString('base64'),
      encodeURIComponent(secret),
      'ghs_0123456789',
    ];
    const command = fakeCommand(async (_, { context }) => {
      for (const text of leak) context.logger.warn(`failed: ${text}`);
      return outcome({ verdict: 'error', summary: leak.join(' '), outputs: { note: leak.join(' ') } });
    });
    await executeAction('train', only(command), host);
    const everything = JSON.stringify([seen, await readFile(seen.outputs.outcome!, 'utf8')]);
    for (const text of leak) {
      expect(everything).not.toContain(text);
      expect(everything).not.toContain(JSON.stringify(text).slice(1, -1));
    }
  });

  it('[TRN-4] names the runner and its GPU in the summary', async () => {
    const { host, seen } = await fakeHost({}, { RUNNER_NAME: 'gpu-7', RUNNER_ENVIRONMENT: 'self-hosted' });
    await executeAction('train', only(fakeCommand(async () => outcome())), host);
    expect(seen.summary).toContain('gpu-7, self-hosted');
    expect(seen.summary).toMatch(/\| GPU \| .+ \|/);
  });
});
