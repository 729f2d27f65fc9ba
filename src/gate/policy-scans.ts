import { z } from 'zod';
import { lazyObject } from '../lazy-schema.ts';
import { Severity, Subject } from './scans/scan.ts';

const Acceptance = lazyObject(() => ({
  id: z
    .string()
    .min(1)
    .max(200)
    .describe("The finding's id in the report, or one of its aliases: CVE-2024-3651."),
  package: z.string().min(1).max(200).optional().describe('In this package alone. Left out: wherever it is.'),
  until: z.iso
    .date('expected a date, e.g. 2026-12-31')
    .describe('The last day (UTC) on which it is accepted; from the next on it counts again.'),
  reason: z.string().trim().min(1).max(500).describe('Why it does no harm here. The report shows it.'),
}));
export type Acceptance = z.infer<typeof Acceptance>;

export const ScansPolicy = lazyObject(() => ({
  require: z
    .array(Subject)
    .max(3)
    .refine((all) => new Set(all).size === all.length, 'stands here twice')
    .default([])
    .describe('What must have been scanned: without a scan of each of these there is no verdict.'),
  fail_at: Severity.exclude(['unknown'])
    .default('critical')
    .describe('Findings of this severity, or a worse one, stop the candidate.'),
  unknown: z
    .enum(['fail', 'warn'])
    .default('fail')
    .describe(
      'What follows from a finding whose severity the report does not give (pip-audit gives none): not known is not harmless.',
    ),
  accept: z
    .array(Acceptance)
    .max(200)
    .default([])
    .describe('Findings that are known and do not count for a while.'),
}));
export type ScansPolicy = z.infer<typeof ScansPolicy>;
