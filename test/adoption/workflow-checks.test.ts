import { beforeAll, describe, expect, it } from 'vitest';
import { environmentsOf } from '../../src/adoption/repository-workflows.ts';
import { brokenCalls, callsOf } from '../../src/adoption/workflow-calls.ts';
import { otherSchedules, workflowChecks } from '../../src/adoption/workflow-checks.ts';
import { workflowTemplates } from '../../src/adoption/workflow-files.ts';
import { readWorkflow } from '../../src/adoption/workflow-text.ts';
import { ChatopsPolicy } from '../../src/chatops/policy.ts';

let templates: Map<string, string>;
beforeAll(async () => {
  templates = await workflowTemplates();
});

type Change = Readonly<Record<string, string | null>>;
/** The templates in a repository, but for these. */
function files(change: Change = {}) {
  const texts = Object.entries({ ...Object.fromEntries(templates), ...change });
  return new Map(
    texts.flatMap(([name, text]) => (text === null ? [] : [[name, { text, read: readWorkflow(text) }]])),
  );
}
const policy = ChatopsPolicy.parse({});
async function found(change: Change, names = policy.workflows) {
  const checks = await workflowChecks(files(change), { branch: 'main', names });
  return Object.fromEntries(checks.map((one) => [one.check.replace('workflows_', ''), one]));
}
const of = (name: string) => templates.get(name) ?? '';
/** As train.yml was before candidate.yml: it calls nothing. */
const alone = (name: string) => of(name).replace(/^ {4}uses: \.\/.*$/m, '    runs-on: ubuntu-latest');

describe('the workflows of a repository', () => {
  it('are all well as the templates, with or without those that not everybody takes', async () => {
    const all = await found({});
    expect(Object.values(all).map(({ verdict }) => verdict)).toEqual(['ok', 'ok', 'ok']);
    const least = { 'sweep.yml': null, 'poll.yml': null, 'chatops.yml': null, 'status-page.yml': null };
    const few = await found(least);
    expect(Object.values(few).map(({ verdict }) => verdict)).toEqual(['ok', 'ok', 'ok']);
  });

  it.each([
    ['sweep.yml', 'pipeline'],
    ['poll.yml', 'pipeline'],
    ['candidate.yml', 'pipeline'],
    ['chatops.yml', 'delivery'],
    ['status-page.yml', 'care'],
  ])('%s that differs is a warning of %s', async (name, group) => {
    const checks = await found({ [name]: `${of(name)}# mine\n` });
    expect(checks[group]).toMatchObject({ verdict: 'warn', detail: expect.stringContaining(name) });
    expect(Object.values(checks).filter(({ verdict }) => verdict !== 'ok')).toHaveLength(1);
  });

  it('want candidate.yml where one of them calls it', async () => {
    const { pipeline } = await found({ 'candidate.yml': null });
    expect(pipeline).toMatchObject({
      ...{ verdict: 'missing', needed: true },
      detail: 'Not in .github/workflows: candidate.yml (which release.yml, sweep.yml and train.yml call).',
    });
    const sweepAlone = { 'train.yml': alone('train.yml'), 'release.yml': alone('release.yml') };
    expect((await found({ ...sweepAlone, 'candidate.yml': null })).pipeline?.detail).toContain(
      'candidate.yml (which sweep.yml calls)',
    );
  });

  it('of an earlier release go on without it, and the new ones are named', async () => {
    const earlier = {
      'train.yml': alone('train.yml'),
      'release.yml': alone('release.yml'),
      'sweep.yml': alone('sweep.yml'),
    };
    const { pipeline } = await found({ ...earlier, 'candidate.yml': null });
    expect(pipeline?.verdict).toBe('warn');
    expect(pipeline?.detail).toMatch(/train\.yml, release\.yml and sweep\.yml do not call candidate\.yml/);
    expect(pipeline?.fix).toMatch(/^Take the new ones/);
    // those that were never there are not asked for
    expect((await found({ ...earlier, 'sweep.yml': null, 'candidate.yml': null })).pipeline?.verdict).toBe(
      'warn',
    );
  });

  it.each<[string, string, RegExp, RegExp]>([
    ['of somebody else', 'on: push\njobs: {}\n', /cannot be called: `workflow_call`/, /another name/],
    ['of several triggers', 'on: [push, pull_request]\njobs: {}\n', /cannot be called/, /another name/],
    ['that is no workflow', 'name: mine\n', /cannot be read as a workflow/, /another name/],
    ['that is no YAML', 'on: [push\n', /cannot be read as a workflow/, /another name/],
    ['nested without end', `on: ${'['.repeat(100_000)}`, /cannot be read as a workflow/, /another name/],
    [
      'that takes no inputs',
      'on: workflow_call\njobs: {}\n',
      /does not take the input config, /,
      /one release/,
    ],
    [
      'with other inputs',
      'on:\n  workflow_call:\n    inputs:\n      config: { type: string }\njobs: {}\n',
      /does not take the input artifact, /,
      /one release/,
    ],
  ])('a candidate.yml %s is missing, not a warning', async (_, text, detail, fix) => {
    const { pipeline } = await found({ 'candidate.yml': text });
    expect(pipeline).toMatchObject({ verdict: 'missing', needed: true });
    expect(pipeline?.detail).toMatch(detail);
    expect(pipeline?.detail).toMatch(/candidate\.yml, which .*train\.yml/);
    expect(pipeline?.fix).toMatch(fix);
  });

  it('that ask for more than a caller gives are missing', async () => {
    const asks = of('candidate.yml').replace(
      '    inputs:\n',
      '    inputs:\n      team: { required: true, type: string }\n',
    );
    const { pipeline } = await found({ 'candidate.yml': asks });
    expect(pipeline?.detail).toMatch(/asks for the input team, which is not given/);
    expect(pipeline?.verdict).toBe('missing');
  });

  it('may have other names, those that are called too', async () => {
    const names = { ...policy.workflows, train: 'fit.yml' };
    const moved = { 'train.yml': null, 'fit.yml': of('train.yml') };
    expect((await found(moved, names)).pipeline?.verdict).toBe('ok');
    const text = (name: string) => of(name).replace('workflows/candidate.yml', 'workflows/judge.yml');
    const called = {
      ...{ 'candidate.yml': null, 'judge.yml': of('candidate.yml') },
      ...{
        'train.yml': text('train.yml'),
        'release.yml': text('release.yml'),
        'sweep.yml': text('sweep.yml'),
      },
    };
    expect((await found(called)).pipeline).toMatchObject({
      verdict: 'warn',
      detail: 'Other than the templates: train.yml, release.yml, sweep.yml.',
    });
  });
});

describe('workflows that a schedule starts', () => {
  const others = (change: Change, names = policy.workflows, watched = [names.monitor]) =>
    otherSchedules(files(change), { names, watched }).map(({ workflow }) => workflow);

  it('are those that are there and that the policy does not watch', () => {
    expect(others({})).toEqual(['verify.yml', 'poll.yml', 'drill.yml', 'status-page.yml']);
    const few = { 'poll.yml': null, 'drill.yml': null, 'status-page.yml': null };
    expect(others(few, policy.workflows, ['verify.yml'])).toEqual(['monitor.yml']);
  });

  it('are known by the name that the policy gives them', () => {
    const names = { ...policy.workflows, monitor: 'watch.yml' };
    const moved = { 'monitor.yml': null, 'watch.yml': of('monitor.yml') };
    expect(others(moved, names, [])[0]).toBe('watch.yml');
  });
});

describe('what a workflow says to others', () => {
  it('templates call what is there, with what it takes', () => {
    expect(Object.fromEntries(callsOf(files()))).toEqual({
      'candidate.yml': ['release.yml', 'sweep.yml', 'train.yml'],
    });
    expect(brokenCalls(files())).toEqual([]);
  });

  it('environments are those that jobs enter and hand on, by name', () => {
    expect(environmentsOf(files())).toEqual(['candidates', 'chatops', 'monitor', 'staging']);
    const text =
      'on: push\njobs:\n  a: { environment: { name: prod } }\n  b: { with: { environment: no } }\n';
    expect(readWorkflow(text)?.environments).toEqual(['prod']);
  });

  it('actions are those of other repositories, of steps and of called workflows', () => {
    const uses = [
      'actions/checkout@v6',
      './here',
      'docker://alpine:3',
      'no-version/x',
      '"$' + '{{ x }}/y@v1"',
    ];
    const called = 'acme/x/.github/workflows/y.yml@v1';
    const steps = uses.map((one) => `{ uses: ${one} }`).join(', ');
    const text = `on: push\njobs: { a: { uses: ${called} }, b: { steps: [${steps}, { run: x }] }, c: { steps: 7 } }\n`;
    expect(readWorkflow(text)?.uses).toEqual([called, 'actions/checkout@v6']);
  });

  it('calls name files of the folder alone', () => {
    const uses = [
      './.github/workflows/../../x.yml',
      './.github/workflows/a/b.yml',
      'acme/x/.github/workflows/y.yml@v1',
    ];
    for (const one of uses)
      expect(readWorkflow(`on: push\njobs: { a: { uses: "${one}" } }\n`)?.calls).toEqual([]);
  });
});
