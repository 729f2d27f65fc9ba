import { z } from 'zod';
import { Place } from '../../test/registry/races/place.ts';

/** What one promoting process is to do. */
export const PromoterSpec = z.object({
  place: Place,
  model: z.string(),
  client: z.number().int(),
  run: z.string(),
  seconds: z.number().positive(),
});
export type PromoterSpec = z.infer<typeof PromoterSpec>;

/** What it tells at its end. */
export const Measured = z.object({
  /** Milliseconds of each promotion that was committed. */
  latencies: z.array(z.number()),
  refused: z.number(),
  /** From the signal to the end of its last promotion, which may be later than asked. */
  seconds: z.number(),
  /** MiB. */
  peak: z.number(),
});
export type Measured = z.infer<typeof Measured>;
