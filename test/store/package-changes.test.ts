import { describe, expect, it } from 'vitest';
import { type PackageDescription, packageChanges } from '../../src/store/package-changes.ts';

const described = (part: Partial<PackageDescription> = {}): PackageDescription => ({
  digest: 'p',
  model: 'm',
  commit: 'c0ffee',
  code: 'a',
  codeFiles: { 'train.py': '1', 'helper.py': '1' },
  trained_at: '2026-01-01',
  data: { dataset: 'd', window: { from: '2013-01-01', until: '2013-02-01' }, rows: 10 },
  features: 'f',
  featureNames: ['origin', 'distance'],
  params: { depth: 3, rate: 0.1 },
  seed: 1,
  environment: { python: '3.13' },
  metrics: { auc: 0.76 },
  validation: 'v',
  ...part,
});
const changed = (part: Partial<PackageDescription>) => packageChanges(described(), described(part));

describe('what changed between two packages', () => {
  it('is nothing when only the moment of training differs', () => {
    expect(changed({ trained_at: '2026-02-01' })).toEqual([]);
  });

  it('names the files of the code', () => {
    expect(changed({ code: 'b', codeFiles: { 'train.py': '2', 'helper.py': '1', 'more.py': '1' } })).toEqual([
      { what: 'code', before: 'a', after: 'b', note: 'more.py, train.py' },
    ]);
  });

  it('names features that were added and removed, parameters and the environment one by one', () => {
    const part = {
      featureNames: ['distance', 'carrier'],
      params: { depth: 5, rate: 0.1 },
      seed: 2,
      environment: { python: '3.14' },
      data: { dataset: 'd', window: { from: '2013-01-01', until: '2013-03-01' }, rows: 10 },
    };
    expect(changed(part)).toEqual([
      { what: 'data.window.until', before: '2013-02-01', after: '2013-03-01' },
      { what: 'features.added', before: null, after: ['carrier'] },
      { what: 'features.removed', before: ['origin'], after: null },
      { what: 'params.depth', before: 3, after: 5 },
      { what: 'seed', before: 1, after: 2 },
      { what: 'environment.python', before: '3.13', after: '3.14' },
    ]);
  });

  it('holds metrics of training against each other only on the same rows', () => {
    expect(changed({ metrics: { auc: 0.73 } })).toEqual([{ what: 'metrics.auc', before: 0.76, after: 0.73 }]);
    expect(changed({ metrics: { auc: 0.73 }, validation: 'w' })).toEqual([]);
    const unknown = described({ validation: null });
    expect(packageChanges(unknown, { ...unknown, metrics: { auc: 0.73 } })).toEqual([]);
  });
});
