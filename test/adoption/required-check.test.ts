import { describe, expect, it } from 'vitest';
import { type Judging, requiredCheck } from '../../src/adoption/required-check.ts';

const of = { check: 'required_check', level: 2, needed: true } as const;
const root = { model: 'flights', config: 'modelgate.yaml' };
const deep = { model: 'flights', config: 'models/flights/modelgate.yaml' };
const two = [deep, { model: 'parcels', config: 'models/parcels/modelgate.yaml' }];
const actions = 15_368;

/** What is said where these are required: `name` of any source, or `name#app`. */
function said(models: Judging['models'], app: boolean, names: readonly string[]) {
  const required = names.map((one) => {
    const [name = '', id] = one.split('#');
    return { name, app: id === undefined ? null : Number(id) };
  });
  return requiredCheck(of, [{ name: 'tests', app: null }, ...required], { branch: 'main', models, app });
}

const gate = 'modelgate/gate';
const named = 'modelgate/gate (flights)';
const [one, many] = [[root], two];

describe('[GAT-1] the required check', () => {
  it.each<[string, Judging['models'], boolean, string[], string, RegExp]>([
    ['nothing', one, false, [], 'missing', /nothing of ModelGate/],
    ['the advice of the app', one, true, ['modelgate/sample (flights)'], 'missing', /nothing of ModelGate/],
    ['the status, without the app', one, false, [gate], 'ok', /anybody who may write .* can set/],
    ['the status, of Actions alone', one, false, [`${gate}#${actions}`], 'ok', /can set/],
    ['the status, with the app', one, true, [gate], 'warn', /anybody who may write .* can set/],
    ["the app's check", one, true, [`${named}#7`], 'ok', /of the app 7/],
    ["the app's check beside the status", one, true, [gate, `${named}#7`], 'ok', /of the app 7/],
    ["the app's check, of any source", one, true, [named], 'warn', /anybody who may write .* can set/],
    ["the app's check, where no app is", one, false, [named], 'warn', /nothing here sets it/],
    ['a name that Actions never sets', one, true, [`${named}#${actions}`], 'warn', /nothing here sets it/],
    [
      'the check of a model that is gone',
      one,
      true,
      ['modelgate/gate (cars)#7'],
      'warn',
      /nothing here sets/,
    ],
    ['the sample', one, false, ['sample run'], 'warn', /not that the gate passed/],
    ['the sample, with the app', one, true, ['sample run'], 'warn', /not that the gate passed/],
    ['the status of another file', [deep], false, [named], 'ok', /can set/],
    ['the status of the root, with another file', [deep], false, [gate], 'warn', /nothing here sets it/],
    ["the app's check, with another file", [deep], true, [named], 'warn', /can set/],
    ['the sample, of many models', many, true, ['sample run'], 'ok', /proves no verdict/],
    ['a gate, of many models', many, true, [`${named}#7`], 'warn', /waits/],
    ['a gate and the sample, of many models', many, true, ['sample run', gate], 'warn', /waits/],
    ['nothing, of many models', many, true, [], 'missing', /nothing of ModelGate/],
    ['a gate, where no configuration can be read', [], false, [named], 'ok', /can set/],
    ["the app's check, where no configuration can be read", [], true, [`${named}#7`], 'ok', /of the app 7/],
  ])('%s', (_, models, app, required, verdict, detail) => {
    const found = said(models, app, required);
    expect(found).toMatchObject({ verdict, detail: expect.stringMatching(detail) });
    expect(found.fix === null).toBe(verdict === 'ok');
  });

  it('what is to be required is named by where the model is configured and by who sets it', () => {
    const fix = (models: Judging['models'], app: boolean) => said(models, app, []).fix;
    expect(fix(one, false)).toMatch(/^Require modelgate\/gate \(docs/);
    expect(fix([deep], false)).toMatch(/^Require modelgate\/gate \(flights\) \(docs/);
    expect(fix(one, true)).toMatch(
      /^Require modelgate\/gate \(flights\), with the ModelGate app as its only/,
    );
    expect(fix(many, true)).toMatch(/^Require sample run \(docs/);
    expect(said(many, true, ['sample run', gate]).fix).toMatch(/^Take modelgate\/gate out/);
  });
});
