import { describe, expect, it } from 'vitest';
import { parseModel, parseModelName } from '../../../src/stages/commands/environment.ts';

describe('MODEL[@VERSION]', () => {
  it('is a name, and a version where one may be named', () => {
    expect(parseModel('flights-late@3')).toEqual({ model: 'flights-late', version: 3 });
    expect(parseModel('flights-late')).toEqual({ model: 'flights-late', version: null });
    for (const bad of ['', 'a@', 'a@0', 'a@1.5', 'a@1@2', '../a', 'A b'])
      expect(() => parseModel(bad)).toThrow(/names no model/);
  });

  it('refuses a version where it would be ignored, e.g. by rollback', () => {
    expect(parseModelName('flights-late')).toBe('flights-late');
    expect(() => parseModelName('flights-late@2')).toThrow(/names a version/);
  });
});
