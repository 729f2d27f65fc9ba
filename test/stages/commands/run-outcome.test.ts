import { describe, expect, it } from 'vitest';
import { parseResult, resultLimit } from '../../../src/chatops/reports/result.ts';
import { runOutcome } from '../../../src/stages/commands/run.ts';
import type { StageOutcome } from '../../../src/stages/define.ts';

type AnyOutcome = StageOutcome<Record<string, unknown>>;
const ended = (stage: string, change: Partial<AnyOutcome> = {}): AnyOutcome => ({
  ...{
    schema: 'modelgate.outcome/1',
    stage,
    verdict: 'pass',
    reason_code: 'done',
    summary: `${stage} ended.`,
  },
  ...{ inputs: {}, outputs: {}, timings: { total: 1 }, trace_id: 't', cached: false },
  ...change,
});
const rule = (id: number, verdict: 'pass' | 'warn' | 'fail') => ({
  ...{ id: `flights.column_${id}.type`, column: `column_${id}`, rule: 'type', verdict },
  ...{ observed: 1, expected: 2, rows: 3, message: `Rule ${id} ${'x'.repeat(2000)}`, line: id + 1 },
});

describe('the outcome of a whole run', () => {
  it('names the model, and tells what a report on the pull request shows', () => {
    const checks = [rule(1, 'pass'), rule(2, 'warn'), rule(3, 'fail')];
    const validate = ended('validate', {
      ...{ verdict: 'fail', reason_code: 'contract_failed' },
      outputs: { validation: 'a'.repeat(64), checks },
    });
    const outcome = runOutcome({ model: 'flights', last: validate, outcomes: [validate], seconds: 2 });
    expect(outcome).toMatchObject({ stage: 'run', verdict: 'fail', inputs: { model: 'flights' } });
    const result = parseResult(Buffer.from(JSON.stringify(outcome)));
    expect(result).toMatchObject({ model: 'flights', verdict: 'fail', code: 'contract_failed' });
    expect(result?.contract.map(({ id, level, line }) => [id, level, line])).toEqual([
      ['flights.column_3.type', 'failure', 4],
      ['flights.column_2.type', 'warning', 3],
    ]);
  });

  it('gives the reasons of the gate', () => {
    const gate = ended('gate', {
      ...{ verdict: 'inconclusive', reason_code: 'gate_inconclusive' },
      outputs: { gate: 'b'.repeat(64), reasons: ['AUC cannot be decided.'] },
    });
    const register = ended('register', { outputs: { version: 4 } });
    const outcome = runOutcome({ model: 'flights', last: register, outcomes: [gate, register], seconds: 2 });
    const result = parseResult(Buffer.from(JSON.stringify(outcome)));
    expect(result).toMatchObject({ verdict: 'inconclusive', reasons: ['AUC cannot be decided.'] });
  });

  it('stays far below the size that a pull request’s result may have', () => {
    const checks = Array.from({ length: 5000 }, (_, id) => rule(id, id % 2 === 0 ? 'fail' : 'warn'));
    const validate = ended('validate', { verdict: 'fail', outputs: { checks } });
    const outcome = runOutcome({ model: 'flights', last: validate, outcomes: [validate], seconds: 2 });
    expect(JSON.stringify(outcome, null, 2).length).toBeLessThan(resultLimit / 4);
  });
});
