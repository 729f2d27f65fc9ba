import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalJson, digestOf, parseJson } from '../src/json.ts';
import { Name } from '../src/names.ts';
import { editDistance, suggest } from '../src/suggest.ts';

describe('canonicalJson', () => {
  it('does not depend on the order of keys', () => {
    expect(canonicalJson({ b: 1, a: [true, null, 'x'] })).toBe('{"a":[true,null,"x"],"b":1}');
    expect(digestOf({ a: 1, b: 2 })).toBe(digestOf({ b: 2, a: 1 }));
  });

  it('reads back what it wrote, for any JSON', () => {
    fc.assert(
      fc.property(fc.jsonValue({ noUnicodeString: false }), (value) => {
        const text = canonicalJson(value);
        expect(canonicalJson(JSON.parse(text))).toBe(text);
      }),
    );
  });

  it('refuses what JSON cannot say', () => {
    expect(() => canonicalJson({ a: Number.NaN })).toThrow();
    expect(() => canonicalJson({ a: () => 1 })).toThrow();
  });
});

describe('parseJson', () => {
  it('refuses keys that reach a prototype, and long texts', () => {
    expect(() => parseJson('{"__proto__":{"polluted":1}}')).toThrow();
    expect(() => parseJson('{"a":{"constructor":1}}')).toThrow();
    expect(() => parseJson('"aaaa"', 3)).toThrow();
    expect(() => parseJson('{"\\u005f_proto__":1}')).toThrow();
    expect(parseJson('["__proto__", "constructor"]')).toEqual(['__proto__', 'constructor']);
  });

  it('refuses what is nested deeply, whatever brackets, quotes and backslashes its strings hold', () => {
    const brackets = fc.string({ unit: fc.constantFrom('"', '\\', '[', '{', ']', 'a'), maxLength: 300 });
    fc.assert(
      fc.property(fc.array(brackets), (texts) => {
        expect(parseJson(JSON.stringify(texts))).toEqual(texts);
        const text = `${JSON.stringify(texts).slice(0, -1)}${texts.length > 0 ? ',' : ''}${'['.repeat(200)}${']'.repeat(201)}`;
        expect(() => parseJson(text)).toThrow('nested deeper');
      }),
    );
  });
});

describe('Name', () => {
  it('accepts no path, whatever the characters', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 80 }), (text) => {
        if (Name.safeParse(text).success) {
          expect(text).toMatch(/^[a-z0-9][a-z0-9._-]*$/);
          expect(text).not.toContain('..');
          expect(text.length).toBeLessThanOrEqual(63);
        }
      }),
    );
    for (const bad of ['', '.', '..', '../x', 'a/b', 'A', 'a..b', '-a', 'a b', 'a\0']) {
      expect(Name.safeParse(bad).success).toBe(false);
    }
  });
});

describe('suggest', () => {
  it('counts edits, a swap of neighbours as one', () => {
    expect(editDistance('promote', 'promtoe')).toBe(1);
    expect(editDistance('', 'abc')).toBe(3);
  });

  it('names the nearest known word, or none', () => {
    expect(suggest('prmote', ['promote', 'rollback'])).toBe('promote');
    expect(suggest('zzzzzz', ['promote', 'rollback'])).toBeNull();
  });
});
