import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { parseContract } from '../../src/data/contract.ts';
import { thresholds } from '../../src/data/threshold.ts';
import { UserError } from '../../src/errors.ts';

const head = 'apiVersion: v3.1.0\nkind: DataContract\nid: x\nversion: 1.0.0\nstatus: active\n';
const contract = (schema: string, more = '') => `${head}schema:\n${schema}${more}`;

function problem(text: string): UserError {
  try {
    parseContract(text, 'contracts/x.yaml');
  } catch (error) {
    if (error instanceof UserError) return error;
    throw error;
  }
  throw new Error('no problem was found');
}

describe('contract file', () => {
  it.each(['flights', 'weather'])('reads the example %s', async (name) => {
    const read = parseContract(
      await readFile(`examples/flights/contracts/${name}.yaml`, 'utf8'),
      `${name}.yaml`,
    );
    expect(read.table.name).toBe(name);
    expect(read.freshness).toMatchObject([{ column: 'time_hour', limit: 2 * 86_400_000 }]);
  });

  it.each([
    [
      'an unknown key',
      contract('  - name: t\n    properties:\n      - name: a\n        reqired: true\n'),
      /reqired/,
      10,
    ],
    [
      'an unknown type',
      contract('  - name: t\n    properties:\n      - name: a\n        logicalType: int\n'),
      /logicalType/,
      10,
    ],
    [
      'no operator',
      contract('  - name: t\n    quality:\n      - metric: rowCount\n    properties:\n      - name: a\n'),
      /operator/,
      9,
    ],
    [
      'two operators',
      contract(
        '  - name: t\n    quality:\n      - { metric: rowCount, mustBe: 1, mustBeLessThan: 3 }\n    properties:\n      - name: a\n',
      ),
      /operator/,
      9,
    ],
    [
      'an old version',
      contract('  - name: t\n    properties:\n      - name: a\n').replace('v3.1.0', 'v2.2.0'),
      /version 3/,
      1,
    ],
    [
      'a rule of ours as a standard one',
      contract(
        '  - name: t\n    properties:\n      - name: a\n        quality:\n          - { metric: distribution, mustBeLessThan: 1 }\n',
      ),
      /engine: modelgate/,
      11,
    ],
    [
      'freshness without a unit',
      contract(
        '  - name: t\n    properties:\n      - name: a\n',
        'slaProperties:\n  - { property: latency, element: t.a, value: 2 }\n',
      ),
      /unit/,
      11,
    ],
    ['YAML that is none', `${head}schema: [`, /YAML/, undefined],
  ])('names the place of %s', (_what, text, told, line) => {
    const error = problem(text);
    expect(error.code).toBe('contract_invalid');
    expect(error.message).toMatch(told);
    expect(error.where).toMatchObject({ file: 'contracts/x.yaml', ...(line === undefined ? {} : { line }) });
  });

  it('means by its operators what the standard says', () => {
    const holds = (rule: Parameters<typeof thresholds>[0], value: number) =>
      thresholds(rule)[0]!.holds(value);
    expect([1, 2, 3, 4].map((value) => holds({ mustBeBetween: [2, 3] }, value))).toEqual([
      false,
      true,
      true,
      false,
    ]);
    expect([1, 2].map((value) => holds({ mustBeLessThan: 2 }, value))).toEqual([true, false]);
    expect([1, 2].map((value) => holds({ mustBeGreaterOrEqualTo: 2 }, value))).toEqual([false, true]);
    expect([1, 2].map((value) => holds({ mustNotBe: 2 }, value))).toEqual([true, false]);
  });
});
