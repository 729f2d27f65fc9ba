import { expect, it } from 'vitest';
import { questionOf } from '../../actions/authorize-inputs.ts';

const digest = 'd'.repeat(64);
const inputs = {
  ...{ app: 'modelgate[bot]', model: 'flights-late@3', environment: 'production', version: '' },
  ...{ digest, 'expected-generation': '7' },
};
const question = { runId: 19_571_234_567, environment: 'production', claims: { model: 'flights-late' } };

it('asks for the run with what its inputs say', () => {
  expect(questionOf(inputs, '19571234567')).toEqual({
    appSlug: 'modelgate',
    question: { ...question, claims: { model: 'flights-late', version: 3, digest, generation: 7 } },
  });
  const rollback = { ...inputs, model: 'flights-late', version: '2', digest: '', 'expected-generation': '' };
  expect(questionOf(rollback, '19571234567').question).toEqual({
    ...question,
    claims: { model: 'flights-late', version: 2 },
  });
});

it.each([
  [{ app: '' }, 'app'],
  [{ app: 'max' }, 'app'],
  [{ model: 'a@b' }, 'model'],
  [{ model: 'a@1@2' }, 'model'],
  [{ environment: '' }, 'environment'],
  [{ digest: 'short' }, 'digest'],
  [{ 'expected-generation': '-1' }, 'expected-generation'],
])('refuses what it cannot read: %j', (change, name) => {
  expect(() => questionOf({ ...inputs, ...change }, '19571234567')).toThrow(
    expect.objectContaining({ code: 'usage', where: expect.stringContaining(name) }),
  );
});

it('refuses outside of a run', () => {
  expect(() => questionOf(inputs, undefined)).toThrow(expect.objectContaining({ where: 'GITHUB_RUN_ID' }));
});
