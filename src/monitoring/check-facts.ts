import { z } from 'zod';
import { Name } from '../names.ts';

/** Facts of the manifest of a check of what an environment served: what readers want without its files. */
export const CheckFacts = z.object({
  model: Name,
  environment: Name,
  version: z.number().int().positive(),
  /** The window in event times. */
  since: z.iso.datetime(),
  until: z.iso.datetime(),
  /** Columns that drifted, the most severe first. */
  drifted: z.array(z.string()),
  /** Fingerprints of the alerts. */
  alerts: z.array(z.string()),
  /** How it ended, e.g. `no_drift`, `not_decidable`; older manifests lack it. */
  reason_code: z.string().optional(),
});
export type CheckFacts = z.infer<typeof CheckFacts>;
