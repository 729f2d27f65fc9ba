import { z } from 'zod';

/** For commands that gate. */
export const scanOption = z
  .array(z.string().min(1).max(1000))
  .max(20)
  .optional()
  .describe(
    'Report of a scanner: the JSON of OSV-Scanner, Trivy, Grype or pip-audit, or SARIF. Where it does not tell what was scanned, say it: image=FILE. Several may be given',
  );
