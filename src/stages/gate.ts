import { z } from 'zod';
import { SetUse } from '../gate/checks/evaluation-set.ts';
import { GoldenInput } from '../gate/golden-cases.ts';
import { GatePolicy } from '../gate/policy.ts';
import type { GateRecord } from '../gate/record.ts';
import { Release } from '../gate/release.ts';
import { ScanInput } from '../gate/scans/scan.ts';
import { Digest } from '../json.ts';
import { Verdict } from '../outcome.ts';
import { defineStage } from './define.ts';

const reasonCodes = { pass: 'gate_passed', fail: 'gate_failed', inconclusive: 'gate_inconclusive' } as const;

/** Judges a candidate against the champion by a policy, on the paired predictions of one evaluation. */
export const gate = defineStage({
  name: 'gate',
  description:
    'Decides by intervals whether the candidate may replace the champion: pass, fail or inconclusive.',
  inputs: z.object({
    /** Digest of the evaluation's manifest. */
    evaluation: Digest,
    policy: GatePolicy,
    /** Digest of the measured noise of retraining, or null. */
    noise: Digest.nullable().default(null),
    /** Earlier measurements of this model's noise, which stand in where there is none of this recipe. */
    pooled_noise: z.array(Digest).max(100).default([]),
    /** The file of the policy's golden cases; null where it has none. */
    golden: GoldenInput.nullable().default(null),
    /** How often the evaluation set was asked, and its age; null: not judged. */
    set_use: SetUse.nullable().default(null),
    /** The gate by which the champion was judged; null: none is known. */
    champion_gate: Digest.nullable().default(null),
    /** Columns whose values the data contract marks as personal; `key` and `label` for these two. Never shown. */
    personal: z.array(z.string().max(200)).max(2000).default([]),
    /** Reports of scanners; their digests are inputs like others. */
    scans: z.array(ScanInput).max(20).default([]),
    /** The day (UTC) by which acceptances of findings end; null: none holds. */
    today: z.iso.date().nullable().default(null),
    /** Names the next command in the report. */
    release: Release.nullable().default(null),
  }),
  outputs: z.object({
    /** Digest of the gate's manifest. */
    gate: Digest,
    verdict: Verdict,
    /** sha256 of report.html. */
    report: Digest,
    /** sha256 of report.md, for a comment or a job summary. */
    markdown: Digest,
    /** Drawings of the report, each a file of the manifest: comparisons.svg, slices.svg, predictions.svg, flips.svg. */
    plots: z.array(z.object({ name: z.string(), sha256: Digest })),
    reasons: z.array(z.string()),
    on_inconclusive: z.enum(['block', 'approve', 'pass']),
    checks: z.array(
      z.object({
        id: z.string(),
        kind: z.string(),
        effect: z.string(),
        verdict: z.string(),
        reason: z.string(),
      }),
    ),
  }),
  cache: { version: 4 },
  async run(inputs, context) {
    // the engine starts in threads of its own while the code that asks it is loaded
    const opening = context.engine();
    opening.catch(() => undefined); // it is told below, where it is waited for
    let record: GateRecord;
    try {
      const [{ judge }] = await Promise.all([import('./gate-judgement.ts'), import('./gate-result.ts')]);
      record = await judge(inputs, { store: context.store, opening });
    } finally {
      await opening.then((engine) => engine.close());
    }
    const { summaryOf, writeResult } = await import('./gate-result.ts');
    const manifest = await writeResult(record, { inputs, context });
    const { verdict, reasons } = record;
    return {
      verdict,
      reason_code: reasonCodes[verdict],
      summary: summaryOf(record),
      outputs: {
        gate: manifest.digest,
        verdict,
        report: manifest.html,
        markdown: manifest.markdown,
        plots: manifest.plots,
        reasons,
        on_inconclusive: record.on_inconclusive,
        checks: record.checks.map(({ id, kind, effect, verdict: one, reason }) => ({
          id,
          kind,
          effect,
          verdict: one,
          reason,
        })),
      },
    };
  },
});

/** What the stage's `inputs` give. */
export interface GateInputs {
  evaluation: Digest;
  policy: GatePolicy;
  noise: Digest | null;
  pooled_noise: Digest[];
  golden: GoldenInput | null;
  set_use: SetUse | null;
  champion_gate: Digest | null;
  personal: string[];
  scans: ScanInput[];
  today: string | null;
  release: Release | null;
}
