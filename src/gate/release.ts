import { z } from 'zod';
import { Name } from '../names.ts';

/** For the next command of the report. */
export const Release = z.object({ model: Name, environment: Name });
export type Release = z.infer<typeof Release>;
