import { describe, expect, it } from 'vitest';
import { evaluationSetChecks, type SetUse, wearOf } from '../../src/gate/checks/evaluation-set.ts';
import { policyChangeChecks } from '../../src/gate/checks/policy-change.ts';

const use = (part: Partial<SetUse> = {}): SetUse => ({
  consultations: 3,
  budget: 50,
  time: 'at',
  maximum_age: null,
  as_of: null,
  ...part,
});
const judge = (part: Partial<SetUse>, newest: string | null = null, traffic: string | null = null) =>
  evaluationSetChecks({ use: use(part), alpha: 0.05, newest, traffic });

describe('the evaluation set', () => {
  it('says by how much its level is worn, and is spent beyond its budget', () => {
    expect(wearOf(use(), 0.05)).toEqual({ count: 3, budget: 50, bound: 0.15000000000000002, worn_at: 20 });
    expect(wearOf(use({ consultations: 30 }), 0.05)?.bound).toBe(1);
    const [fresh] = judge({ consultations: 50 });
    expect(fresh).toMatchObject({ effect: 'informs', verdict: 'pass' });
    const [spent] = judge({ consultations: 51 });
    expect(spent).toMatchObject({ effect: 'blocks', verdict: 'inconclusive' });
    expect(spent?.reason).toContain('modelgate pin');
    expect(judge({ consultations: null })[0]).toMatchObject({ effect: 'blocks', verdict: 'inconclusive' });
  });

  it('[EVA-6] warns when it is older than its allowed age versus recent traffic', () => {
    const age = (newest: string | null, traffic: string | null, as_of: string | null = null) =>
      judge({ maximum_age: '30d', as_of }, newest, traffic)[1];
    expect(age('2026-01-01T00:00:00Z', '2026-01-30T00:00:00Z')).toMatchObject({ verdict: 'pass' });
    const old = age('2026-01-01T00:00:00Z', '2026-02-01T00:00:00Z');
    expect(old).toMatchObject({ effect: 'warns', verdict: 'fail', candidate: 31 });
    expect(old?.reason).toContain('31.0 days older than recent traffic; 30d is allowed');
    expect(age('2026-01-01', '2026-01-02', '2026-03-01')).toMatchObject({ verdict: 'fail' });
    expect(age(null, '2026-02-01')).toMatchObject({ verdict: 'inconclusive' });
    expect(age('2026-02-01', null)).toMatchObject({ verdict: 'inconclusive' });
  });

  it('[EVA-3] says when policy or set are not those by which the champion was judged', () => {
    const now = { policy: 'a', evaluation_set: 'b' };
    expect(policyChangeChecks(now, now)[0]).toMatchObject({ effect: 'informs', verdict: 'pass' });
    const [other] = policyChangeChecks({ ...now, policy: null }, now);
    expect(other).toMatchObject({ effect: 'warns', verdict: 'inconclusive' });
    expect(other?.reason).toMatch(/^The policy is not what .* owner's review/);
    expect(policyChangeChecks({ policy: 'x', evaluation_set: 'y' }, now)[0]?.reason).toMatch(
      /^The policy and the evaluation set are/,
    );
  });
});
