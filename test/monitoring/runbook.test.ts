import { describe, expect, it } from 'vitest';
import {
  type Cause,
  Condition,
  type Findings,
  loadRunbooks,
  parseRunbooks,
  Question,
  runbookFor,
  runRunbook,
} from '../../src/monitoring/runbook.ts';

function findings(...holding: Condition[]): Findings {
  return {
    answers: Object.fromEntries(
      Question.options.map((question) => [question, { answer: 'yes', detail: `about ${question}` }]),
    ) as Findings['answers'],
    conditions: Object.fromEntries(
      Condition.options.map((condition) => [condition, holding.includes(condition)]),
    ) as Findings['conditions'],
  };
}

const runbooks = await loadRunbooks(undefined);

describe('runbooks', () => {
  it.each<[string, Cause, Condition[], string, number | null]>([
    ['an important feature moved', 'data_drift', ['drift_found', 'top_importance'], 'retrain', null],
    ['an unimportant feature moved', 'data_drift', ['drift_found'], 'review', 7],
    [
      'the schema broke too',
      'data_drift',
      ['drift_found', 'top_importance', 'schema_broken'],
      'fix_data',
      null,
    ],
    ['only the predictions moved', 'data_drift', ['predictions_moved'], 'investigate', null],
    ['nothing moved', 'data_drift', [], 'none', null],
    ['the metric fell with drift', 'concept_drift', ['performance_fell', 'drift_found'], 'retrain', null],
    [
      'the metric fell with a class shift',
      'concept_drift',
      ['performance_fell', 'class_shifted'],
      'retrain',
      null,
    ],
    [
      'the metric stays low over a wider window',
      'concept_drift',
      ['performance_fell', 'wider_window_fell'],
      'retrain',
      null,
    ],
    ['the metric fell in this window only', 'concept_drift', ['performance_fell'], 'investigate', null],
    ['the metric holds', 'concept_drift', [], 'none', null],
    ['quality fell silently', 'silent_failure', ['performance_fell'], 'investigate', null],
    ['quality fell with drift', 'silent_failure', ['performance_fell', 'drift_found'], 'retrain', null],
    [
      'quality fell with nulls',
      'silent_failure',
      ['performance_fell', 'nulls_moved', 'drift_found'],
      'fix_data',
      null,
    ],
    ['the threshold is probed', 'suspicious_inputs', ['boundary_walked', 'drift_found'], 'investigate', null],
    ['training rows are probed', 'suspicious_inputs', ['training_rows_probed'], 'investigate', null],
    ['nobody probes', 'suspicious_inputs', ['drift_found'], 'none', null],
  ])('[ALR-4] when %s, decides (%s, %j) → %s', (_, cause, conditions, action, days) => {
    const runbook = runbookFor(runbooks, cause);
    if (runbook === null) throw new Error('no runbook');
    expect(runRunbook(runbook, findings(...conditions))).toMatchObject({ action, days });
  });

  it('[ALR-3] fills in every step with its answer', () => {
    const runbook = runbookFor(runbooks, 'data_drift');
    const { steps } = runRunbook(runbook!, findings('drift_found'));
    expect(steps.map(({ id }) => id)).toEqual([
      ...['validation', 'schema', 'nulls', 'statistics', 'importance', 'predictions'],
    ]);
    for (const step of steps)
      expect(step).toMatchObject({ answer: 'yes', detail: expect.stringMatching(/^about /) });
  });

  const own =
    'schema: modelgate.runbook/1\nname: drift\nanswers: [data_drift]\nsteps: [{id: a, ask: null_rates, title: Nulls?}]\n';

  it('takes only the closed vocabulary: no code, no unknown question, condition or action', () => {
    const decision = (text: string) => `${own}decisions: [${text}]\n`;
    expect(
      parseRunbooks(decision('{when: [drift_found], action: review, reason: so}'), 'x.yaml'),
    ).toHaveLength(1);
    for (const wrong of [
      decision('{when: ["1 == 1"], action: review, reason: so}'),
      decision('{when: [], action: "rm -rf", reason: so}'),
      decision('{when: [], action: review, reason: so, run: ls}'),
      `${own}decisions: []\n`,
      '{',
    ]) {
      expect(() => parseRunbooks(wrong, 'x.yaml')).toThrow(
        expect.objectContaining({ code: 'config_invalid' }),
      );
    }
  });
});
