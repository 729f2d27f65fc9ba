import { z } from 'zod';

/** Model and environment names: they become parts of store keys, so they are short and plain. */
export const Name = z
  .string()
  .regex(/^[a-z0-9][a-z0-9._-]{0,62}$/, 'expected 1 to 63 of a-z 0-9 . _ - beginning with a letter or digit')
  .refine((name) => !name.includes('..'), 'must not hold ".."');
export type Name = z.infer<typeof Name>;
