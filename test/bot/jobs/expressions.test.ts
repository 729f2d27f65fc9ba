import { describe, expect, it } from 'vitest';
import { workflows } from '../../workflows/templates.ts';
import { condition, evaluate, interpolate, type Scope } from './expressions.ts';
import { parseWorkflow } from './workflow.ts';

const braced = (expression: string) => ['$', `{{ ${expression} }}`].join('');
const texts: Readonly<Record<string, string>> = { actor: 'Max', empty: '', 'event.a-name': 'x' };
const scope = (success = true): Scope => ({
  contexts: {
    github: (path) => {
      const text = texts[path.join('.')];
      if (text === undefined) throw new Error(`no ${path.join('.')}`);
      return text;
    },
  },
  functions: { always: () => true, cancelled: () => false, success: () => success, failure: () => !success },
});

describe('expressions of workflows', () => {
  it.each([
    ["'it''s'", "it's"],
    ['github.actor', 'Max'],
    ['github.event.a-name', 'x'],
    ["github.actor == 'MAX'", true],
    ["github.actor != 'ann' && github.empty || 'otherwise'", 'otherwise'],
    ["github.actor == 'ann' && github.empty || github.actor", 'Max'],
    ["!(github.empty == '') || github.empty != 'a' && true", true],
    ['!cancelled() && 1', 1],
    ['null', null],
  ])('%s', (expression, value) => {
    expect(evaluate(expression, scope())).toBe(value);
  });

  it.each([
    'github',
    'github.nothing',
    'secrets.token',
    'hashFiles()',
    "contains(github.actor, 'M')",
    'github.actor[0]',
    'github.actor > 1',
    'github.actor == 1',
    '(true',
    'true true',
    '',
  ])('throws on what it does not know: %s', (expression) => {
    expect(() => evaluate(expression, scope())).toThrow();
  });

  it('are filled into texts', () => {
    expect(interpolate(`by ${braced('github.actor')}, ${braced('null')}.`, scope())).toBe('by Max, .');
  });

  it.each([
    [undefined, true, false],
    ["github.actor == 'max'", true, false],
    ['always()', true, true],
    [braced('failure()'), false, true],
  ])('as a condition %s holds after success: %s, after a failure: %s', (text, well, badly) => {
    expect([condition(text, scope()), condition(text, scope(false))]).toEqual([well, badly]);
  });
});

it.each(['pull-request.yml', 'train.yml', 'promote.yml', 'rollback.yml', 'monitor.yml'])(
  '%s has nothing that the runner would leave out',
  (file) => {
    const { text } = workflows.find((workflow) => workflow.file === file)!;
    expect(Object.keys(parseWorkflow(text).jobs)).not.toEqual([]);
  },
);
