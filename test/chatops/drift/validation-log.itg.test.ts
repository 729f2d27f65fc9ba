import { describe, expect, it } from 'vitest';
import { buildAlert } from '../../../src/monitoring/alert.ts';
import { findingsOf } from '../../../src/monitoring/findings.ts';
import { loadRunbooks, runbookFor, runRunbook } from '../../../src/monitoring/runbook.ts';
import { plainSignal, type Signal } from '../../../src/monitoring/signal.ts';
import { workflowRunsUrl } from '../../../src/stages/workflow-runs.ts';
import { DriftWorld, model } from './world.ts';

const moved: Signal = {
  ...{ ...plainSignal, signal: 'data_drift', name: 'distance', verdict: 'alert', summary: 'distance moved' },
};
const upstream = {
  ...{ trained_on: null, newest: null, arrivals: [], columns: [], contracts: [], problems: [], notes: [] },
  last_day: [
    {
      ...{ model, at: '2026-03-01T05:00:00.000Z', as_of: '2026-03-01', verdict: 'fail' as const },
      ...{ dataset: 'd'.repeat(64), contracts: {}, counts: { pass: 41, warn: 0, fail: 1 } },
      problems: ['The column distance is missing.'],
    },
  ],
};

/** The alert as `monitor` writes it in a job of this runner. */
async function alertBody(environment: NodeJS.ProcessEnv, now: Date): Promise<string> {
  const since = new Date(now.getTime() - 86_400_000);
  const validationRuns = workflowRunsUrl(environment, { workflow: 'train.yml', since });
  const findings = findingsOf({
    ...{ inputs: null, predictions: null, signals: [moved], worst: [], labels: null, wider: [] },
    ...{ upstream, validationRuns },
  });
  const runbook = runRunbook(runbookFor(await loadRunbooks(undefined), 'data_drift')!, findings);
  const subject = { model, environment: 'production', version: 1 };
  return buildAlert({
    ...{ cause: 'data_drift', subject, signals: [moved], report: null, predictions: [], runbook, upstream },
  }).body;
}

describe('[VAL-8] the validation log of the last 24 hours', () => {
  it('is one link of the first step of the runbook, in the issue that the bot keeps', {
    timeout: 120_000,
  }, async () => {
    await using world = await DriftWorld.open();
    const train = (created: string) => {
      const run = world.repository.startRun({ workflow: 'train.yml', event: 'workflow_dispatch', by: 'ann' });
      return Object.assign(run, { createdAt: created });
    };
    train('2026-02-27T06:00:00Z');
    const recent = train('2026-02-28T20:00:00Z');
    const now = new Date('2026-03-01T06:00:00Z');
    const runner = { GITHUB_SERVER_URL: 'https://github.com', GITHUB_REPOSITORY: 'acme/flights' };
    await world.check({ alerts: { data_drift: 'investigate' }, body: await alertBody(runner, now) });
    const [issue] = await world.issues();
    const [first, ...others] = [...(issue?.body ?? '').matchAll(/^- \[[x ]\] .*$/gm)].map(([line]) => line);
    expect(first).toMatch(
      /^- \[x\] Did the validations of the last 24 hours pass\? \*\*no\*\*: 1 validation in 24 hours, 1 failed/,
    );
    const link = /\[validation log of the last 24 h\]\(([^)]+)\)/.exec(first ?? '')?.[1];
    expect(link).toBe(
      'https://github.com/acme/flights/actions/workflows/train.yml?query=created%3A%3E%3D2026-02-28T06%3A00%3A00Z',
    );
    expect(others.join('\n')).not.toContain('](');
    // what the page shows is what GitHub lists by the same filter
    const createdAfter = /created:>=(.*)$/.exec(new URL(link ?? '').searchParams.get('query') ?? '')?.[1];
    const listed: number[] = [];
    for await (const run of world.context.github.runs({
      workflow: 'train.yml',
      createdAfter: createdAfter ?? '',
    }))
      listed.push(run.id);
    expect(listed).toEqual([recent.id]);
    // and the outcomes themselves stand in the issue
    expect(issue?.body).toContain('<summary>Validations of the last 24 hours</summary>');
    expect(issue?.body).toContain('| 41 / 0 / 1 | The column distance is missing. |');
  });

  it('has no link outside of GitHub Actions, and none that a variable could bend', async () => {
    const now = new Date('2026-03-01T06:00:00Z');
    expect(await alertBody({}, now)).not.toContain('](');
    const url = (GITHUB_SERVER_URL: string, GITHUB_REPOSITORY = 'acme/flights', workflow = 'train.yml') =>
      workflowRunsUrl({ GITHUB_SERVER_URL, GITHUB_REPOSITORY }, { workflow, since: now });
    expect(url('javascript:alert(1)')).toBeNull();
    expect(url('https://github.com', 'acme/flights/../x')).toBeNull();
    expect(url('https://github.com', 'acme')).toBeNull();
    expect(url('https://ghes.example/path', 'acme/flights', 'a b)/c.yml')).toBe(
      'https://ghes.example/acme/flights/actions/workflows/a%20b)%2Fc.yml?query=created%3A%3E%3D2026-03-01T06%3A00%3A00Z',
    );
    const body = await alertBody(
      { GITHUB_SERVER_URL: 'https://ghes.example', GITHUB_REPOSITORY: 'acme/a_b' },
      now,
    );
    expect(body).toContain('(https://ghes.example/acme/a%5Fb/actions/workflows/train.yml?');
  });
});
