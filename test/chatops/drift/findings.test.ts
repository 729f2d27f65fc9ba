import { describe, expect, it } from 'vitest';
import { findingsOf } from '../../../src/chatops/drift/findings.ts';
import { parseResult } from '../../../src/chatops/drift/monitor-result.ts';
import type { Signal } from '../../../src/monitoring/signal.ts';
import { model, outcome, type Told } from './world.ts';

function findings(told: Told, change: (signals: Signal[]) => unknown = (signals) => signals) {
  const json = JSON.parse(outcome(told));
  json.outputs.signals = change(json.outputs.signals);
  const result = parseResult(Buffer.from(JSON.stringify(json)));
  if (result === null || !('outputs' in result)) throw new Error('it was not read');
  return new Map(findingsOf(result).map(({ fingerprint, alarm }) => [fingerprint, alarm]));
}
const of = (cause: string) => `${model}/production/${cause}`;

describe('what a check says of each cause', () => {
  it('[MON-5] [MON-7] silent failure and suspicious inputs are causes of their own', () => {
    const found = findings({ alerts: { silent_failure: 'retrain', suspicious_inputs: 'investigate' } });
    expect(found.get(of('silent_failure'))).toMatchObject({ action: 'retrain' });
    expect(found.get(of('suspicious_inputs'))).toMatchObject({ action: 'investigate' });
    expect(found.get(of('data_drift'))).toBeNull();
  });

  it('a fall that the issue of another cause tells of is no recovery of its own', () => {
    const fell = (signals: Signal[]) =>
      signals.map((one) => (one.signal === 'silent_failure' ? { ...one, verdict: 'alert' } : one));
    const found = findings({ alerts: { concept_drift: 'retrain' } }, fell);
    expect(found.get(of('concept_drift'))).toMatchObject({ action: 'retrain' });
    expect(found.has(of('silent_failure'))).toBe(false);
  });

  it('an estimate or a business metric opens nothing, and a result without intervals is read as before', () => {
    const found = findings({}, (signals) =>
      [...signals, { ...signals[0], signal: 'estimated_performance', verdict: 'logged' }].map(
        ({ interval: _, ...one }) => one,
      ),
    );
    expect([...found.values()].every((alarm) => alarm === null)).toBe(true);
  });
});
