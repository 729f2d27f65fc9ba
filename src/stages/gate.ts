import { z } from 'zod';
import { UserError } from '../errors.ts';
import type { Check } from '../gate/check.ts';
import { leakageChecks } from '../gate/checks/leakage.ts';
import { limitChecks } from '../gate/checks/limits.ts';
import { ruleChecks } from '../gate/checks/rules.ts';
import { decideOverall } from '../gate/decide.ts';
import { EvaluationFacts, readLatency, readLeakage, readModelSize, readNoise } from '../gate/evidence.ts';
import { type GateRecord, judgeScores, predictionHistogram } from '../gate/judge.ts';
import { GatePolicy } from '../gate/policy.ts';
import { gateHtml } from '../gate/report-html.ts';
import { gateMarkdown } from '../gate/report-markdown.ts';
import { readScores, type Scores } from '../gate/scores.ts';
import { canonicalJson, Digest, digestOf } from '../json.ts';
import { Verdict } from '../outcome.ts';
import type { Manifest } from '../store/manifest.ts';
import type { Store } from '../store/store.ts';
import { defineStage, type StageContext } from './define.ts';

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
  }),
  outputs: z.object({
    /** Digest of the gate's manifest. */
    gate: Digest,
    verdict: Verdict,
    /** sha256 of report.html. */
    report: Digest,
    /** sha256 of report.md, for a comment or a job summary. */
    markdown: Digest,
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
  cache: { version: 1 },
  async run(inputs, context) {
    const record = await judge(inputs, context);
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

interface Inputs {
  evaluation: Digest;
  policy: GatePolicy;
  noise: Digest | null;
}

async function judge(
  { evaluation, policy, noise: noiseDigest }: Inputs,
  context: StageContext,
): Promise<GateRecord> {
  const { store } = context;
  const manifest = await store.readManifest(evaluation, 'evaluation');
  const facts = EvaluationFacts.parse(manifest.facts);
  const candidate = Digest.parse(manifest.inputs.model);
  const champion = manifest.inputs.champion === undefined ? null : Digest.parse(manifest.inputs.champion);
  const noise = await readNoise(store, { digest: noiseDigest, policy });
  const engine = await context.engine();
  try {
    await engine.addFile(
      'predictions',
      await store.localFile(store.file(manifest, 'predictions.parquet').sha256),
    );
    const scores = await readScores(engine, 'predictions', policy);
    requirePaired(scores, { rows: facts.rows, champion });
    const { checks, slices } = judgeScores(scores, policy, noise);
    const rules = await ruleChecks(engine, { policy, hasChampion: champion !== null });
    const leaks =
      policy.leakage === undefined
        ? []
        : leakageChecks(
            await readLeakage(engine, { store, evaluation: manifest, view: 'predictions' }),
            policy.leakage,
          );
    const limits = limitChecks(await measure(store, { manifest, candidate, policy }), policy);
    const all: Check[] = [...checks, ...rules, ...leaks, ...limits];
    return {
      schema: 'modelgate.gate/1',
      ...decideOverall(all),
      evaluation,
      candidate,
      champion,
      rows: scores.rows,
      clusters: scores.clusters?.count ?? null,
      evaluation_set: facts.evaluation_set
        ? { id: facts.evaluation_set.id, sha256: facts.evaluation_set.sha256 }
        : null,
      alpha: policy.alpha,
      power: policy.power,
      on_inconclusive: policy.on_inconclusive,
      checks: all,
      slices,
      histogram: predictionHistogram(scores),
    };
  } finally {
    await engine.close();
  }
}

/** The file must hold the rows and models that its manifest speaks of. */
function requirePaired(scores: Scores, expected: { rows: number; champion: Digest | null }): void {
  const problem =
    scores.rows === 0
      ? 'The evaluation has no rows.'
      : scores.rows !== expected.rows
        ? `The evaluation speaks of ${expected.rows} rows, and its file holds ${scores.rows}.`
        : (scores.champion === null) !== (expected.champion === null)
          ? 'The evaluation names a champion, but holds no predictions of it, or the other way round.'
          : null;
  if (problem === null) return;
  throw new UserError({
    code: 'evaluation_unpaired',
    message: problem,
    where: 'predictions.parquet',
    fix: 'Run the evaluation again: candidate and champion are scored on the same rows in one run.',
  });
}

async function measure(
  store: Store,
  { manifest, candidate, policy }: { manifest: Manifest; candidate: Digest; policy: GatePolicy },
) {
  const latency = policy.latency === undefined ? null : await readLatency(store, manifest);
  return {
    p99Ms: latency?.candidate ?? null,
    championP99Ms: latency?.champion ?? null,
    modelBytes: policy.model_size === undefined ? null : await readModelSize(store, candidate),
  };
}

/** The decisive sentence, and how many more there are. */
function summaryOf({ verdict, reasons, checks }: GateRecord): string {
  const [first = '', ...others] = reasons;
  if (verdict !== 'pass') return others.length === 0 ? first : `${first} (${others.length} more.)`;
  const blocking = checks.filter((check) => check.effect === 'blocks' && check.verdict === 'pass').length;
  const rest = blocking - 1;
  return rest > 0 ? `${first} ${rest} more ${rest === 1 ? 'check' : 'checks'} passed.` : first;
}

async function writeResult(
  record: GateRecord,
  { inputs, context }: { inputs: Inputs; context: StageContext },
) {
  const { store } = context;
  const files: Manifest['files'] = [];
  const digests: Record<string, Digest> = {};
  for (const [name, text] of [
    ['gate.json', canonicalJson(record)],
    ['policy.json', canonicalJson(inputs.policy)],
    ['report.html', gateHtml(record)],
    ['report.md', gateMarkdown(record)],
  ] as const) {
    const bytes = Buffer.from(text);
    const sha256 = await store.putBytes(bytes);
    digests[name] = sha256;
    files.push({ name, size: bytes.length, sha256 });
  }
  const digest = await store.putManifest({
    kind: 'gate',
    files,
    inputs: { evaluation: inputs.evaluation, ...(inputs.noise === null ? {} : { noise: inputs.noise }) },
    producer: context.producer,
    facts: {
      verdict: record.verdict,
      reasons: record.reasons.slice(0, 50),
      candidate: record.candidate,
      champion: record.champion,
      policy: digestOf(inputs.policy),
      on_inconclusive: record.on_inconclusive,
      metrics: Object.fromEntries(
        record.checks
          .filter((check) => check.kind === 'metric' && check.candidate !== null)
          .map((check) => [check.title, check.candidate]),
      ),
    },
  });
  return { digest, html: digests['report.html'] as Digest, markdown: digests['report.md'] as Digest };
}
