import { describe, expect, it } from 'vitest';
import { TimedStage } from '../../src/config/schema.ts';
import { runOutcome } from '../../src/stages/commands/run.ts';
import type { StageOutcome } from '../../src/stages/define.ts';
import { overruns, overrunText } from '../../src/stages/expected.ts';

type AnyOutcome = StageOutcome<Record<string, unknown>>;
const ended = (stage: string, total: number, change: Partial<AnyOutcome> = {}): AnyOutcome => ({
  ...{ schema: 'modelgate.outcome/1', stage, verdict: 'pass', reason_code: 'gate_passed' },
  ...{
    summary: `${stage} ended.`,
    inputs: {},
    outputs: {},
    timings: { total },
    trace_id: 't',
    cached: false,
  },
  ...change,
});
const hour = 3600;

describe('[OBS-3] a run that takes longer than modelgate.yaml expects', () => {
  it('of 6 h instead of 2 h is warned of in its outcome, and its verdict stays', () => {
    const outcomes = [
      ended('ingest', 60),
      ended('train', 5.5 * hour),
      ended('gate', 10),
      ended('register', 1, { outputs: { version: 4 } }),
    ];
    const late = overruns({ run: '2h', train: '90m', gate: '1m' }, { outcomes, seconds: 6 * hour });
    expect(late).toEqual([
      { stage: 'run', seconds: 6 * hour, expected: 2 * hour },
      { stage: 'train', seconds: 5.5 * hour, expected: 1.5 * hour },
    ]);
    const outcome = runOutcome({ model: 'm', last: outcomes.at(-1)!, outcomes, seconds: 6 * hour, late });
    expect(outcome).toMatchObject({
      verdict: 'pass',
      reason_code: 'gate_passed',
      outputs: { overruns: late, version: 4 },
    });
    expect(outcome.summary).toBe(
      'gate ended. run took 6 h against an expected 2 h. train took 5.5 h against an expected 90 min.',
    );
  });

  it('says nothing of what is in time, was read back, or has no expectation', () => {
    const outcomes = [ended('train', 9 * hour, { cached: true }), ended('gate', 60)];
    expect(overruns({ run: '2h', train: '1h', gate: '60s' }, { outcomes, seconds: 2 * hour })).toEqual([]);
    expect(overruns(undefined, { outcomes, seconds: 99 * hour })).toEqual([]);
    expect(overrunText({ stage: 'gate', seconds: 61.24, expected: 60 })).toBe(
      'gate took 61.2 s against an expected 60 s.',
    );
  });

  it('can be set for the run and each of its stages, and for nothing else', () => {
    expect(TimedStage.safeParse('run').success).toBe(true);
    expect(TimedStage.safeParse('train').success).toBe(true);
    expect(TimedStage.safeParse('trian').success).toBe(false);
  });
});
