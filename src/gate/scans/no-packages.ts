import { z } from 'zod';
import { Digest } from '../../json.ts';
import type { ScanFormat } from './scan.ts';

const schema = 'modelgate.no-packages/1';
const Report = z.object({ schema: z.literal(schema), lock: Digest });

/**
 * What `modelgate scan` writes of a lock that pins nothing: no scanner reports on such a one. It lists no package, so
 * it stands for no other candidate than one whose own lock is as empty.
 */
export const noPackages: ScanFormat = {
  name: 'ModelGate',
  fix: 'Run modelgate scan again.',
  recognises: (report) => report.schema === schema,
  read(report) {
    const { lock } = Report.parse(report);
    return {
      tool: { name: 'ModelGate', version: null },
      subject: 'dependencies',
      target: lockName(lock),
      packages: [],
      seen: true,
      findings: [],
    };
  },
};

export const noPackagesReport = (lock: Digest): z.infer<typeof Report> => ({ schema, lock });

/** How reports call a lock. */
export const lockName = (sha256: Digest): string => `requirements.lock ${sha256.slice(0, 12)}`;
