import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { lines } from '../../actions/inputs.ts';
import { called, templateFolder, workflows } from './templates.ts';

const root = path.join(import.meta.dirname, '../..');
const expression = (text: string) => ['$', `{{ ${text} }}`].join('');
const ours = /^modelgate\/modelgate\/actions\/([a-z]+)@v0$/;

describe.each(workflows.map((workflow) => [workflow.file, workflow] as const))('%s', (file, workflow) => {
  const jobs = Object.entries(workflow.jobs);
  const steps = jobs.flatMap(([, job]) => job.steps);

  it('starts with no permission; each job says what it needs and why', () => {
    expect(workflow.permissions).toEqual({});
    for (const [, job] of jobs) {
      // one that looks at what others came to, or at their artifacts, needs none
      const needs = job.steps.some(
        ({ uses }) =>
          uses !== undefined &&
          !/^(actions\/(up|down)load-artifact|modelgate\/modelgate\/actions\/scan)@/.test(uses),
      );
      const bare = !needs && job.uses === undefined && job.permissions !== undefined;
      if (!bare) expect(Object.keys(job.permissions ?? {}).length).toBeGreaterThan(0);
      for (const [scope, level] of Object.entries(job.permissions ?? {})) {
        expect(workflow.text).toMatch(new RegExp(`^ +${scope}: ${level} # .+$`, 'm'));
      }
    }
  });

  it('uses no trigger that gives a stranger rights', () => {
    const triggers = Object.keys(workflow.on);
    for (const trigger of ['pull_request_target', 'workflow_run', 'repository_dispatch']) {
      expect(triggers).not.toContain(trigger);
    }
    if (!triggers.includes('issue_comment')) return;
    // whoever can read may comment: nothing is checked out, no script runs, and only new comments start it
    expect([file, triggers]).toEqual(['chatops.yml', ['issue_comment']]);
    expect(workflow.on.issue_comment).toEqual({ types: ['created'] });
    expect(steps.map(({ uses }) => uses?.split('@')[0])).toEqual([
      'aws-actions/configure-aws-credentials',
      'modelgate/modelgate/actions/chatops',
    ]);
  });

  it('[GOV-2] takes cloud roles by OIDC alone: no stored secret, no key', () => {
    expect(workflow.text).not.toMatch(/secrets[.[]|access[-_]key|private[-_]key|password/i);
    for (const [, job] of jobs) {
      const roles = job.steps.filter(({ uses }) =>
        uses?.startsWith('aws-actions/configure-aws-credentials@'),
      );
      for (const { with: given } of roles) {
        expect(Object.keys(given ?? {}).sort()).toEqual(['aws-region', 'role-to-assume']);
        expect(job.permissions?.['id-token']).toBe('write');
      }
    }
  });

  it('has a timeout a job, and concurrency that cancels nothing but a stale sample', () => {
    for (const [, job] of jobs) if (job.uses === undefined) expect(job['timeout-minutes']).toBeGreaterThan(0);
    // one that is called runs in the group of its caller
    const own = 'workflow_call' in workflow.on ? undefined : file === 'pull-request.yml';
    expect(workflow.concurrency?.['cancel-in-progress']).toBe(own);
  });

  it('calls only workflows that come with it, with the rights that these need and no secret', () => {
    for (const [, job] of jobs) {
      if (job.uses === undefined) continue;
      const callee = called.get(job.uses);
      expect(callee, job.uses).toBeDefined();
      const needed = Object.values(callee!.jobs).map(({ permissions }) => permissions);
      expect(job.permissions).toEqual(Object.assign({}, ...needed));
      expect(job).not.toHaveProperty('secrets');
    }
  });

  it('pins every action of others to a full SHA, with its version', () => {
    for (const { uses } of steps) {
      if (uses === undefined || ours.test(uses)) continue;
      expect(uses).toMatch(/@[0-9a-f]{40}$/);
      expect(workflow.text).toMatch(new RegExp(`${uses} # v\\d+\\.\\d+\\.\\d+`));
    }
  });

  it('puts no expression into a script', () => {
    for (const { run } of steps) expect(run ?? '').not.toContain('${{');
  });

  it('leaves no token in the checkout', () => {
    for (const step of steps) {
      if (step.uses?.startsWith('actions/checkout@')) expect(step.with?.['persist-credentials']).toBe(false);
    }
  });

  it('[GOV-8] has the locked packages scanned, by a pinned program on a runner without rights, before its gate', () => {
    const gates = jobs.filter(([, job]) => job.steps.some(({ uses }) => uses?.includes('/actions/gate@')));
    expect(gates.map(([id]) => id)).toEqual(file === 'candidate.yml' ? ['gate'] : []);
    for (const [, gate] of gates) {
      const scan = workflow.jobs.scan!;
      expect([gate.needs, gate.if]).toEqual([
        'scan',
        expression("!cancelled() && needs.scan.result == 'success'"),
      ]);
      expect(scan.permissions).toEqual({});
      expect(scan.environment).toBeUndefined();
      // nothing but this: no checkout, no script of the commit
      expect(scan.steps.map(({ uses }) => uses?.split('@')[0])).toEqual([
        ...['modelgate/modelgate/actions/scan', 'actions/upload-artifact'],
      ]);
      const [scanned, handed] = scan.steps.map((step) => step.with ?? {});
      expect(scanned?.image).toBe(expression('vars.MODELGATE_IMAGE'));
      expect(scanned?.['from-artifacts']).toBe(expression('inputs.artifact'));
      expect(handed).toMatchObject({ path: 'modelgate-scan', 'if-no-files-found': 'error' });
      // that very upload: a token of the training still writes artifacts when its job has ended
      const { id } = scan.steps.at(-1) ?? {};
      expect(scan.outputs).toEqual({
        model: expression('steps.scan.outputs.model'),
        artifact: expression(`steps.${id}.outputs.artifact-id`),
      });
      // and of the model that was scanned
      const scored = gate.steps.find(({ uses }) => uses?.includes('/actions/evaluate@'));
      expect(scored?.with?.model).toBe(expression('needs.scan.outputs.model'));
      const fetched = gate.steps.filter(({ uses }) => uses?.startsWith('actions/download-artifact@'));
      expect(fetched.map((step) => step.with)).toEqual([
        { 'artifact-ids': expression('needs.scan.outputs.artifact'), path: 'modelgate-scan' },
      ]);
      // a version of its own moves under a name of its own, also in a re-run
      const moved = gate.steps.find(({ uses }) => uses?.includes('/actions/promote@'));
      expect(moved?.with?.['op-id']).toMatch(/-\$\{\{ steps\.register\.outputs\.version \}\}$/);
      const judged = gate.steps.find(({ uses }) => uses?.includes('/actions/gate@'));
      const image = "vars.MODELGATE_IMAGE != '' && 'image=modelgate-scan/image.json' || ''";
      expect(lines(judged?.with?.scan ?? '')).toEqual([
        'modelgate-scan/dependencies.json',
        expression(image),
      ]);
    }
  });

  it('has what it trained judged by the workflow that scans first, after the training', () => {
    const training = { 'train.yml': 'train', 'release.yml': 'train', 'sweep.yml': 'choose' }[file];
    const calls = jobs.filter(([, job]) => job.uses === './.github/workflows/candidate.yml');
    expect(calls).toHaveLength(training === undefined ? 0 : 1);
    for (const [, call] of calls) {
      expect([call.needs].flat()).toContain(training);
      expect(/needs\.(\w+)\.result/.exec(call.if ?? '')?.[1] ?? training).toBe(training);
      const [artifact = ''] = /^modelgate-\w+/.exec(call.with?.artifact ?? '') ?? [];
      const gives = workflow.jobs[training!]!.steps.map(
        (step) => step.with?.name ?? step.with?.['upload-artifact'],
      );
      // the action's own name for it where none is given
      expect(gives.some((name) => name?.startsWith(artifact) || name === undefined)).toBe(true);
    }
  });

  it('does nothing by schedule before it is set up, and a run that does nothing is skipped, not green', () => {
    if (!('schedule' in workflow.on)) return;
    for (const [, job] of jobs) {
      const first = job.needs === undefined;
      if (first) expect(job.if).toBe("vars.MODELGATE_STORE != ''");
      // a job that must not wait for the success of another asks itself whether it was skipped
      else if (job.if !== undefined) expect(job.if).toMatch(/needs\.models\.result != 'skipped'/);
    }
  });

  it('[TRN-4] trains on a labelled self-hosted GPU runner that holds no cloud role', () => {
    const own = jobs.filter(([, job]) => [job['runs-on']].flat().includes('self-hosted'));
    expect(own.length).toBe(['train.yml', 'release.yml', 'sweep.yml'].includes(file) ? 1 : 0);
    for (const [, job] of own) {
      expect(job['runs-on']).toEqual(['self-hosted', 'gpu']);
      expect(job.permissions).toEqual({ contents: 'read' });
      expect(job.environment).toBeUndefined();
      expect(Object.keys(workflow.on)).not.toContain('pull_request');
    }
  });

  it('gives artifacts names of their own, where several models may run', () => {
    const several = jobs.filter(([, job]) => job.strategy !== undefined || 'workflow_call' in workflow.on);
    for (const [id, job] of several)
      for (const { uses, with: given } of job.steps) {
        const name = ours.test(uses ?? '') ? given?.['upload-artifact'] : given?.name;
        if (!ours.test(uses ?? '') && !uses?.startsWith('actions/upload-artifact@')) continue;
        expect(name, `${id}: ${uses}`).toMatch(/^none$|\b(matrix|inputs)\.(suffix|artifact) \}\}$/);
      }
  });

  it('gives our actions inputs that they have, and all that they need', () => {
    for (const step of steps) {
      const name = ours.exec(step.uses ?? '')?.[1];
      if (name === undefined) continue;
      const action = parse(readFileSync(path.join(root, 'actions', name, 'action.yml'), 'utf8')) as {
        inputs: Record<string, { required: boolean }>;
      };
      const given = Object.keys(step.with ?? {});
      expect(Object.keys(action.inputs)).toEqual(expect.arrayContaining(given));
      for (const [input, { required }] of Object.entries(action.inputs)) {
        if (required) expect(given, `${file}: ${name}`).toContain(input);
      }
    }
  });

  it('reads only outputs that our actions have', () => {
    const expressions = workflow.text.matchAll(/steps\.([a-z]+)\.outputs\.([a-z-]+)/g);
    for (const [, id = '', output = ''] of expressions) {
      const step = steps.find((candidate) => candidate.id === id);
      const name = ours.exec(step?.uses ?? '')?.[1];
      if (name === undefined) continue;
      const action = parse(readFileSync(path.join(root, 'actions', name, 'action.yml'), 'utf8')) as {
        outputs: Record<string, unknown>;
      };
      expect(Object.keys(action.outputs)).toContain(output);
    }
  });

  it('has the properties that GitHub shows', () => {
    const properties = path.join(templateFolder, file.replace(/\.yml$/, '.properties.json'));
    expect(existsSync(properties)).toBe(true);
    expect(JSON.parse(readFileSync(properties, 'utf8'))).toMatchObject({
      name: workflow.text.match(/^name: (.+)$/m)![1],
    });
  });
});

describe('the set of templates', () => {
  it('is the story: a pull request, training, sweeps, release, new data, promotion, rollback, monitoring, drills, proofs, a status page, commands', () => {
    expect(workflows.map(({ file }) => file).sort()).toEqual([
      'candidate.yml',
      'chatops.yml',
      'drill.yml',
      'monitor.yml',
      'poll.yml',
      'promote.yml',
      'pull-request.yml',
      'release.yml',
      'rollback.yml',
      'status-page.yml',
      'sweep.yml',
      'train.yml',
      'verify.yml',
    ]);
  });

  it('is told by docs/workflows.md as it is', () => {
    expect(() =>
      execFileSync(process.execPath, ['scripts/workflow-docs.ts', '--check'], { cwd: root, stdio: 'pipe' }),
    ).not.toThrow();
  });
});
