import { z } from 'zod';
import { parseContract } from '../data/contract.ts';
import { type Check, checkContract } from '../data/contract-check.ts';
import { putJson } from '../data/manifests.ts';
import { readBlocks } from '../data/snapshot.ts';
import { UserError } from '../errors.ts';
import { Digest, digestOf } from '../json.ts';
import { Name } from '../names.ts';
import { keys } from '../store/keys.ts';
import { defineStage, type StageContext } from './define.ts';

export const CheckResult = z.object({
  id: z.string(),
  column: z.string().nullable(),
  rule: z.string(),
  verdict: z.enum(['pass', 'fail', 'warn']),
  observed: z.union([z.string(), z.number()]).nullable(),
  expected: z.union([z.string(), z.number()]).nullable(),
  rows: z.number().nullable(),
  message: z.string(),
  line: z.number().nullable(),
});

const ValidateInput = z.object({
  dataset: Digest,
  /** The contract of a source: code with one file. */
  contracts: z.record(Name, Digest),
  /** The present, by which freshness is judged. */
  as_of: z.string().min(1).max(40),
  /** An accepted dataset to compare with. */
  baseline: Digest.nullable(),
  model: Name,
});
type ValidateInput = z.infer<typeof ValidateInput>;

/** A dataset and its contracts → pass, or fail with the batch in quarantine. */
export const validate = defineStage({
  name: 'validate',
  description:
    'Checks every source against its contract; a batch that breaks it goes to quarantine and no further.',
  inputs: ValidateInput,
  outputs: z.object({
    validation: Digest,
    counts: z.object({ pass: z.number(), warn: z.number(), fail: z.number() }),
    checks: z.array(CheckResult),
    quarantine: Digest.nullable(),
  }),
  cache: { version: 1 },
  async run(input, context) {
    const { store } = context;
    const dataset = await store.readManifest(input.dataset, 'dataset');
    const unknown = Object.keys(input.contracts).find((source) => dataset.inputs[source] === undefined);
    if (unknown !== undefined) throw unknownSource(unknown, Object.keys(dataset.inputs));
    const checks: Check[] = [];
    const failed: string[] = [];
    for (const source of Object.keys(input.contracts)) {
      const found = await validateSource(input, source, dataset.inputs[source] as Digest, context);
      checks.push(...found);
      if (found.some((check) => check.verdict === 'fail')) failed.push(source);
    }
    const count = (verdict: Check['verdict']) => checks.filter((check) => check.verdict === verdict).length;
    const counts = { pass: count('pass'), warn: count('warn'), fail: count('fail') };
    for (const check of checks) if (check.verdict === 'warn') context.logger.warn(check.message);
    const quarantine = failed.length === 0 ? null : await putInQuarantine(input, failed, checks, context);
    const validation = await store.putManifest({
      kind: 'validation',
      files: [await putJson(store, 'checks.json', checks)],
      inputs: { dataset: input.dataset, ...prefixed(input.contracts) },
      facts: { ...counts, verdict: failed.length === 0 ? 'pass' : 'fail', as_of: input.as_of, quarantine },
      producer: context.producer,
    });
    const outputs = { validation, counts, checks: checks.slice(0, 5000), quarantine };
    if (failed.length === 0) {
      return {
        verdict: 'pass',
        reason_code: 'checks_passed',
        summary: passedSummary(counts, input),
        outputs,
      };
    }
    const broken = checks.filter((check) => check.verdict === 'fail');
    const more = broken.length > 3 ? ` And ${broken.length - 3} more.` : '';
    return {
      verdict: 'fail',
      reason_code: 'contract_failed',
      summary: `${failed.join(', ')} break the contract: ${broken
        .slice(0, 3)
        .map((check) => check.message)
        .join(' ')}${more} The batch is in quarantine.`,
      outputs,
    };
  },
});

async function validateSource(
  { contracts, baseline, as_of }: ValidateInput,
  source: string,
  snapshot: Digest,
  { store, engine: open }: StageContext,
): Promise<Check[]> {
  const code = await store.readManifest(contracts[source] as Digest, 'code');
  const [file] = code.files;
  if (file === undefined) throw new Error('a contract without a file');
  const contract = parseContract(
    (await store.readBytes(file.sha256, 1_000_000)).toString('utf8'),
    file.name,
    source,
  );
  const before =
    baseline === null ? undefined : (await store.readManifest(baseline, 'dataset')).inputs[source];
  const engine = await open();
  try {
    await engine.addFile('batch', await store.manifestFile(snapshot, 'data.parquet'), 'parquet');
    return await checkContract({
      engine,
      view: 'batch',
      contract,
      blocks: await readBlocks(store, snapshot),
      baseline: before === undefined ? null : await readBlocks(store, before),
      asOf: as_of,
    });
  } finally {
    await engine.close();
  }
}

/** Copies the batch to where no stage reads. The same batch breaking the same contract is kept once. */
async function putInQuarantine(
  input: ValidateInput,
  failed: readonly string[],
  checks: readonly Check[],
  { store }: StageContext,
): Promise<Digest> {
  const id = digestOf({ dataset: input.dataset, contracts: input.contracts, as_of: input.as_of });
  const dataset = await store.readManifest(input.dataset, 'dataset');
  for (const source of failed) {
    const file = await store.manifestFile(dataset.inputs[source] as Digest, 'data.parquet');
    await store.storage.create(keys.quarantine(input.model, id, `${source}.parquet`), { file });
  }
  const report = {
    dataset: input.dataset,
    contracts: input.contracts,
    as_of: input.as_of,
    sources: failed,
    checks,
  };
  await store.storage.create(
    keys.quarantine(input.model, id, 'checks.json'),
    Buffer.from(JSON.stringify(report)),
  );
  return id;
}

function prefixed(contracts: Record<string, Digest>): Record<string, Digest> {
  return Object.fromEntries(
    Object.entries(contracts).map(([source, digest]) => [`contract.${source}`, digest]),
  );
}

function passedSummary(counts: { pass: number; warn: number }, { contracts }: ValidateInput): string {
  const sources = Object.keys(contracts);
  if (sources.length === 0) return 'No source has a contract: nothing was checked.';
  const warned = counts.warn === 0 ? '' : `, ${counts.warn} warned`;
  return `${counts.pass} checks of ${sources.join(', ')} passed${warned}.`;
}

function unknownSource(source: string, known: readonly string[]): UserError {
  return new UserError({
    code: 'usage',
    message: `There is a contract for ${source}, which the dataset does not have; it has ${known.join(', ')}.`,
    where: `contract of ${source}`,
    fix: 'Give contracts by the names of the sources.',
  });
}
