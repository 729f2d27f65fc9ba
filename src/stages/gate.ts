import { z } from 'zod';
import { UserError } from '../errors.ts';
import { describeBehaviour, guessTask } from '../gate/behaviour.ts';
import { changesBetween } from '../gate/changes.ts';
import type { Check } from '../gate/check.ts';
import { evaluationSetChecks, SetUse, wearOf } from '../gate/checks/evaluation-set.ts';
import { finiteChecks } from '../gate/checks/finite.ts';
import { goldenChecks } from '../gate/checks/golden.ts';
import { leakageChecks } from '../gate/checks/leakage.ts';
import { limitChecks } from '../gate/checks/limits.ts';
import { policyChangeChecks } from '../gate/checks/policy-change.ts';
import { ruleChecks } from '../gate/checks/rules.ts';
import { decideOverall } from '../gate/decide.ts';
import {
  EvaluationFacts,
  readEarlier,
  readLatency,
  readLeakage,
  readModelSize,
  readNewest,
  readTraffic,
} from '../gate/evidence.ts';
import { GoldenInput, readGolden } from '../gate/golden-cases.ts';
import { type GateRecord, judgeScores, predictionHistogram, Release } from '../gate/judge.ts';
import { readNoise } from '../gate/noise.ts';
import { plural } from '../gate/numbers.ts';
import { namedValues, withholdValues } from '../gate/personal.ts';
import { gatePlots } from '../gate/plots.ts';
import { GatePolicy } from '../gate/policy.ts';
import { gateHtml } from '../gate/report-html.ts';
import { gateMarkdown } from '../gate/report-markdown.ts';
import type { ScanResult } from '../gate/scans/judge.ts';
import { ScanInput } from '../gate/scans/scan.ts';
import { readScores, type Scores } from '../gate/scores.ts';
import { canonicalJson, Digest, digestOf } from '../json.ts';
import { Verdict } from '../outcome.ts';
import { figureWidth } from '../report/html.ts';
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

interface Inputs {
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

async function judge(inputs: Inputs, context: StageContext): Promise<GateRecord> {
  const { evaluation, policy, personal, release, set_use: use } = inputs;
  const { store } = context;
  const manifest = await store.readManifest(evaluation, 'evaluation');
  const facts = EvaluationFacts.parse(manifest.facts);
  const candidate = Digest.parse(manifest.inputs.model);
  const scanned = await judgeScans(inputs, { store, candidate });
  const champion = manifest.inputs.champion === undefined ? null : Digest.parse(manifest.inputs.champion);
  const noise = await readNoise(store, {
    digest: inputs.noise,
    policy,
    pooled: inputs.pooled_noise,
    hasChampion: champion !== null,
  });
  const earlier = champion === null ? null : await readEarlier(store, inputs.champion_gate);
  const set = facts.evaluation_set ?? null;
  const digest = digestOf(policy);
  const engine = await context.engine();
  try {
    await engine.addFile(
      'predictions',
      await store.localFile(store.file(manifest, 'predictions.parquet').sha256),
    );
    const read = await readScores(engine, 'predictions', policy);
    const scores = withholdValues(read, { personal, except: namedValues(policy) });
    requirePaired(scores, { rows: facts.rows, champion });
    const { checks, slices, fairness } = judgeScores(scores, policy, noise);
    const rules = await ruleChecks(engine, { policy, hasChampion: champion !== null });
    const leaks =
      policy.leakage === undefined
        ? []
        : leakageChecks(
            await readLeakage(engine, { store, evaluation: manifest, view: 'predictions' }),
            policy.leakage,
          );
    const limits = limitChecks(await measure(store, { manifest, candidate, policy }), policy);
    const golden = await goldenChecks(engine, {
      cases: inputs.golden === null ? null : await readGolden(engine, { store, input: inputs.golden }),
      policy: policy.golden,
      personal: personal.includes('key'),
    });
    const aged = use?.maximum_age != null;
    const setChecks = evaluationSetChecks({
      use,
      alpha: policy.alpha,
      newest: aged ? await readNewest(engine, { view: 'predictions', time: use.time }) : null,
      traffic: aged ? await readTraffic(store, candidate) : null,
    });
    const change = policyChangeChecks(earlier, { policy: digest, evaluation_set: set?.sha256 ?? null });
    const all: Check[] = [
      ...checks,
      ...finiteChecks(scores),
      ...rules,
      ...golden,
      ...leaks,
      ...limits,
      ...setChecks,
      ...change,
      ...scanned.checks,
    ];
    return {
      schema: 'modelgate.gate/1',
      ...decideOverall(all),
      evaluation,
      candidate,
      champion,
      rows: scores.rows,
      clusters: scores.clusters?.count ?? null,
      evaluation_set: set === null ? null : { id: set.id, sha256: set.sha256 },
      alpha: policy.alpha,
      power: policy.power,
      on_inconclusive: policy.on_inconclusive,
      checks: all,
      slices,
      histogram: predictionHistogram(scores),
      ...(policy.fairness === undefined ? {} : { fairness }),
      ...(scanned.scans.length === 0 ? {} : { scans: scanned.scans }),
      consultations: wearOf(use, policy.alpha),
      policy: { digest, champion: earlier === null ? null : (Digest.safeParse(earlier.policy).data ?? null) },
      behaviour: await describeBehaviour(engine, {
        view: 'predictions',
        scores,
        options: {
          task: facts.task ?? guessTask(scores),
          threshold: policy.metrics[0]?.threshold ?? 0.5,
          by: policy.slices?.by ?? [],
          personal,
        },
      }),
      changes: await changesBetween(store, { champion, candidate }),
      release,
    };
  } finally {
    await engine.close();
  }
}

/** Reads the scans, and judges their findings. The code for it is loaded only where there is something to scan. */
async function judgeScans(
  { policy, scans, today }: Inputs,
  { store, candidate }: { store: Store; candidate: Digest },
): Promise<{ scans: ScanResult[]; checks: Check[] }> {
  if (scans.length === 0 && (policy.scans?.require ?? []).length === 0) return { scans: [], checks: [] };
  const { judgeGivenScans } = await import('../gate/scans/given.ts');
  return judgeGivenScans(store, { policy: policy.scans, scans, today, candidate });
}

/** The file must hold the rows and models that its manifest speaks of. */
function requirePaired(scores: Scores, expected: { rows: number; champion: Digest | null }): void {
  const problem =
    scores.rows === 0
      ? 'The evaluation has no rows.'
      : scores.rows !== expected.rows
        ? `The evaluation speaks of ${plural(expected.rows, 'row')}, and its file holds ${scores.rows}.`
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
  const plots = gatePlots(record);
  const texts: (readonly [name: string, text: string])[] = [
    ['gate.json', canonicalJson(record)],
    ['policy.json', canonicalJson(inputs.policy)],
    ['report.html', gateHtml(record)],
    ['report.md', gateMarkdown(record)],
    ...plots.map(({ file, draw }) => [file, draw(figureWidth)] as const),
  ];
  // each waits for the disk
  const files: Manifest['files'] = await Promise.all(
    texts.map(async ([name, text]) => {
      const bytes = Buffer.from(text);
      return { name, size: bytes.length, sha256: await store.putBytes(bytes) };
    }),
  );
  const digests = Object.fromEntries(files.map(({ name, sha256 }) => [name, sha256 as Digest]));
  for (const [index, { file, size }] of inputs.scans.entries())
    files.push({ name: `scan-${index + 1}.json`, size, sha256: file });
  const digest = await store.putManifest({
    kind: 'gate',
    files,
    inputs: {
      evaluation: inputs.evaluation,
      ...(inputs.noise === null ? {} : { noise: inputs.noise }),
      ...(inputs.golden === null ? {} : { golden: inputs.golden.file }),
      ...Object.fromEntries(inputs.pooled_noise.map((one, index) => [`pooled_noise_${index + 1}`, one])),
    },
    producer: context.producer,
    facts: {
      verdict: record.verdict,
      reasons: record.reasons.slice(0, 50),
      candidate: record.candidate,
      champion: record.champion,
      policy: digestOf(inputs.policy),
      on_inconclusive: record.on_inconclusive,
      ...(record.scans === undefined
        ? {}
        : {
            scans: record.scans.map(({ subject, tool, sha256, packages, counts }) => ({
              ...{ subject, tool, sha256, packages, counts },
            })),
          }),
      metrics: Object.fromEntries(
        record.checks
          .filter((check) => check.kind === 'metric' && check.candidate !== null)
          .map((check) => [check.title, check.candidate]),
      ),
    },
  });
  return {
    digest,
    html: digests['report.html'] as Digest,
    markdown: digests['report.md'] as Digest,
    plots: plots.map(({ file }) => ({ name: file, sha256: digests[file] as Digest })),
  };
}
