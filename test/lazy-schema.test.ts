import { describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { lazyObject, lazySchema } from '../src/lazy-schema.ts';

const shape = () => ({ least: z.number().default(3).describe('The least.'), name: z.string().optional() });

describe('a lazy schema', () => {
  it('is not made where its part is left out, and once where it is given', () => {
    const make = vi.fn(shape);
    const Policy = z.strictObject({
      part: lazyObject(make).optional().describe('A part.'),
      other: z.string(),
    });
    expect(Policy.parse({ other: 'a' })).toEqual({ other: 'a' });
    expect(Policy.safeParse({}).error?.issues[0]?.path).toEqual(['other']);
    expect(make).not.toHaveBeenCalled();
    for (const part of [{}, { least: 3 }])
      expect(Policy.parse({ part, other: 'a' }).part).toEqual({ least: 3 });
    expect(make).toHaveBeenCalledOnce();
  });

  it('says what one that was made at once says', () => {
    const of = (part: z.ZodType) =>
      z.strictObject({
        part: part.optional().describe('A part.'),
        all: z.array(part),
        other: z.record(z.string(), part),
      });
    const [lazy, eager] = [of(lazyObject(shape)), of(z.strictObject(shape()))];
    expect(z.toJSONSchema(lazy)).toEqual(z.toJSONSchema(eager));
    for (const part of [null, 1, { least: 'a' }, { more: 1 }, undefined]) {
      const given = { part, all: [part], other: { a: part } };
      expect(lazy.safeParse(given).error?.issues).toEqual(eager.safeParse(given).error?.issues);
    }
  });

  it('does not stand for what is absent', () => {
    const filled = lazySchema(() => z.string().default('a'));
    expect(() => filled.parse(undefined)).toThrow('absent');
  });
});
