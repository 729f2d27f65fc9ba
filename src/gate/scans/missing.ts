import { UserError } from '../../errors.ts';
import type { Subject } from './scan.ts';

const named = { dependencies: 'the dependencies', image: 'the image', code: 'the code' } as const;

/** Which scan the gate lacks. */
export function scanMissing(subject: Subject): UserError {
  return new UserError({
    code: 'scan_missing',
    message: `The gate asks for a scan of ${named[subject]}, and none was given.`,
    where: { key: 'gate.scans.require' },
    fix: 'Run a scanner, and give its report with --scan FILE (in an action: the input `scan`).',
  });
}
