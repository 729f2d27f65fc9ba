import type { SqlEngine } from '../data/engine.ts';
import { UserError } from '../errors.ts';
import { describeBehaviour, guessTask } from '../gate/behaviour.ts';
import { changesBetween } from '../gate/changes.ts';
import type { Check } from '../gate/check.ts';
import { evaluationSetChecks, wearOf } from '../gate/checks/evaluation-set.ts';
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
import { readGolden } from '../gate/golden-cases.ts';
import { judgeScores, predictionHistogram } from '../gate/judge.ts';
import { readNoise } from '../gate/noise.ts';
import { plural } from '../gate/numbers.ts';
import { namedValues, withholdValues } from '../gate/personal.ts';
import type { GatePolicy } from '../gate/policy.ts';
import type { GateRecord } from '../gate/record.ts';
import type { ScanResult } from '../gate/scans/judge.ts';
import { readScores, type Scores } from '../gate/scores.ts';
import { Digest, digestOf } from '../json.ts';
import type { Manifest } from '../store/manifest.ts';
import type { Store } from '../store/store.ts';
import type { GateInputs } from './gate.ts';

/** Asks everything that the policy wants to know. Whoever opened the engine closes it. */
export async function judge(
  inputs: GateInputs,
  { store, opening }: { store: Store; opening: Promise<SqlEngine> },
): Promise<GateRecord> {
  const { evaluation, policy, personal, release, set_use: use } = inputs;
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
  const limits = limitChecks(await measure(store, { manifest, candidate, policy }), policy);
  const changes = await changesBetween(store, { champion, candidate });
  const engine = await opening; // what needs none is read by now
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
    changes,
    release,
  };
}

/** Reads the scans, and judges their findings. The code for it is loaded only where there is something to scan. */
async function judgeScans(
  { policy, scans, today }: GateInputs,
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
