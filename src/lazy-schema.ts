import { z } from 'zod';

/**
 * A schema that is made when the first value comes to it. Half of a configuration's schemas are of parts that most
 * repositories leave out, and making them takes longer than reading the file. `make` gives a schema that takes no
 * absent value; say `optional()`, `describe()` and the like of the schema that is returned, `optional()` first.
 */
export function lazySchema<Schema extends z.ZodType>(make: () => Schema): z.ZodLazy<Schema> {
  const schema = z.lazy(() => {
    const made = make();
    if (made._zod.optin !== undefined) throw new Error('a lazy schema does not stand for what is absent');
    return made;
  });
  // an object asks this of every key when it is first used, and the answer would be asked of what `make` gives
  for (const key of ['optin', 'optout']) {
    Object.defineProperty(schema._zod, key, { configurable: true, writable: true, value: undefined });
  }
  return schema;
}

/** The same of an object that refuses unknown keys. */
export const lazyObject = <Shape extends z.ZodRawShape>(
  shape: () => Shape,
): z.ZodLazy<z.ZodObject<Shape, z.core.$strict>> => lazySchema(() => z.strictObject(shape()));
