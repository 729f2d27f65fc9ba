import { describe, expect, it } from 'vitest';
import { runnerCheck } from '../../src/adoption/runner-checks.ts';
import { runnerGroupsCheck } from '../../src/adoption/runner-groups-check.ts';
import { workflowTemplates } from '../../src/adoption/workflow-files.ts';
import { readWorkflow } from '../../src/adoption/workflow-text.ts';
import { type RunnerGroupSetup, type RunnerSetup, Unseen } from '../../src/github/repository-setup.ts';
import { setup, trainers, workflowsOf } from './world.ts';

const place = { owner: 'acme', repo: 'flights', branch: 'main' };
const now = new Date('2026-03-02T00:00:00Z');
const gpu = (online = true): RunnerSetup => ({ labels: ['self-hosted', 'Linux', 'GPU'], online });
const workflow = (runsOn: string) => `on: push\njobs: { train: { runs-on: ${runsOn} } }\n`;
const asking = {
  'train.yml': workflow('[self-hosted, gpu]'),
  'release.yml': workflow('[self-hosted, gpu]'),
};

interface There {
  own?: RunnerSetup[] | Unseen;
  groups?: RunnerGroupSetup[] | Unseen;
  texts?: Readonly<Record<string, string>>;
  jobs?: { labels: string[]; group: string | null; at: string }[];
}
const runner = ({ own = [], groups = [], texts = asking, jobs = [] }: There) =>
  runnerCheck({ check: 'runner', level: 1, needed: false }, setup({ jobs: async () => jobs }), {
    ...{ runners: { own, groups }, workflows: workflowsOf(texts), place, now },
  });
const guard = ({ own = [], groups = [] }: There, open: boolean) =>
  runnerGroupsCheck({ check: 'runner_groups', level: 2, needed: false }, { own, groups }, open);

describe('a runner for the jobs that ask for one', () => {
  it('is one with all their labels, of the repository or of a group that takes the workflow', async () => {
    for (const one of [{ own: [gpu()] }, { groups: [trainers] }])
      expect(await runner(one)).toMatchObject({
        verdict: 'ok',
        detail: 'train.yml and release.yml ask for the labels self-hosted and gpu: one is online.',
      });
    expect(await runner({ own: [{ labels: ['self-hosted'], online: true }] })).toMatchObject({
      ...{ verdict: 'warn', detail: expect.stringContaining('there is none') },
    });
    expect(await runner({ own: [gpu(false)] })).toMatchObject({
      ...{ verdict: 'warn', detail: expect.stringContaining('none of them is online') },
    });
  });

  it('of a group that does not take the workflow of the default branch leaves its jobs waiting', async () => {
    const workflows = [
      'acme/flights/.github/workflows/train.yml@main',
      'acme/flights/.github/workflows/release.yml@refs/heads/dev',
      'acme/other/.github/workflows/release.yml@refs/heads/main',
    ];
    expect(await runner({ groups: [{ ...trainers, workflows }] })).toMatchObject({
      verdict: 'missing',
      detail: expect.stringMatching(
        /^train\.yml asks .*: one is online\. release\.yml asks .*in trainers, and no group takes it of main/,
      ),
      fix: 'Add to the workflows of the group: acme/flights/.github/workflows/release.yml@refs/heads/main.',
    });
    // one of the repository itself takes all
    expect(await runner({ groups: [{ ...trainers, workflows: [] }], own: [gpu()] })).toMatchObject({
      verdict: 'ok',
    });
  });

  it('of a group that is named is looked for in that group alone', async () => {
    const texts = { 'train.yml': workflow('{ group: Trainers, labels: gpu }') };
    expect(await runner({ texts, groups: [trainers] })).toMatchObject({ verdict: 'ok' });
    const elsewhere = { own: [gpu()], groups: [{ ...trainers, name: 'other', workflows: null }] };
    expect(await runner({ texts, ...elsewhere })).toMatchObject({
      ...{ verdict: 'warn', detail: expect.stringContaining('the label gpu, of the group Trainers') },
    });
  });

  it("is not asked for by GitHub's own labels, nor by an expression", async () => {
    const texts = {
      'a.yml': workflow('ubuntu-latest'),
      'b.yml': workflow('[windows-2025]'),
      'c.yml': workflow('$' + '{{ vars.RUNNER }}'),
      'd.yml': workflow('{ labels: [self-hosted, "$' + '{{ matrix.gpu }}"] }'),
      'e.yml': workflow('{ odd: true }'),
      'f.yml': workflow('7'),
    };
    expect(await runner({ texts })).toMatchObject({
      verdict: 'ok',
      detail: expect.stringContaining('alone'),
    });
    const file = texts['f.yml'];
    expect(readWorkflow(file)).not.toBe(null); // whatever stands there, it stays a workflow
  });

  it('that the token may not see is not known, unless one took such a job of late', async () => {
    const groups = new Unseen('the scope admin:org');
    expect(await runner({ groups })).toMatchObject({
      ...{ looked: false, detail: expect.stringContaining('the runners of the organisation') },
      fix: expect.stringContaining('the scope admin:org'),
    });
    expect(await runner({ own: new Unseen(), groups: [{ ...trainers, workflows: [] }] })).toMatchObject({
      ...{ looked: false, fix: expect.stringContaining('Administration: read') },
    });
    expect(await runner({ groups, own: [gpu()] })).toMatchObject({ verdict: 'ok' });
    const job = { labels: ['self-hosted', 'gpu'], group: 'trainers', at: '2026-02-20T10:00:00Z' };
    expect(await runner({ groups, jobs: [job] })).toMatchObject({
      ...{ looked: true, verdict: 'ok', detail: expect.stringMatching(/of the group trainers took.*02-20/) },
    });
    for (const other of [
      { ...job, at: '2026-01-20T10:00:00Z' },
      { ...job, labels: ['ubuntu-latest'] },
    ])
      expect(await runner({ groups, jobs: [other] })).toMatchObject({ looked: false });
  });

  it('is what the templates ask for: self-hosted and gpu, in those three that train', async () => {
    const texts = Object.fromEntries(await workflowTemplates());
    expect((await runner({ texts })).detail).toBe(
      'release.yml, sweep.yml and train.yml ask for the labels self-hosted and gpu: there is none.',
    );
  });
});

describe('[GOV-4] who can have code run on the own machines', () => {
  it.each<[string, There]>([
    ['of the repository, online or not', { own: [gpu(false)] }],
    ['in a group that takes any workflow', { groups: [{ ...trainers, workflows: null }] }],
    ['of the repository, the groups being hidden', { own: [gpu()], groups: new Unseen() }],
  ])('is everybody in a public repository with runners %s, and the danger is told', (_, there) => {
    expect(guard(there, true)).toMatchObject({
      ...{
        verdict: 'missing',
        needed: true,
        detail: expect.stringMatching(/public.*from a fork.*their code/),
      },
      fix: expect.stringContaining('runner group'),
    });
    expect(guard(there, false)).toMatchObject({
      ...{ verdict: 'warn', needed: false, detail: expect.stringContaining('whoever may push a branch') },
    });
  });

  it('is nobody else where groups name their workflows, or no runner stands ready', () => {
    for (const open of [true, false]) {
      expect(guard({ groups: [trainers] }, open)).toMatchObject({ verdict: 'ok' });
      expect(guard({ groups: [{ ...trainers, workflows: null, runners: [] }] }, open)).toMatchObject({
        ...{ verdict: 'ok', detail: expect.stringContaining('No runner of your own') },
      });
    }
  });

  it('is not known where the token may not see it', () => {
    expect(guard({ groups: new Unseen() }, true)).toMatchObject({
      ...{ looked: false, fix: expect.stringContaining('admin:org') },
    });
    expect(guard({ own: new Unseen() }, true)).toMatchObject({ looked: false });
  });
});
