import { z } from 'zod';
import { parseJson } from '../../json.ts';
import { Name } from '../../names.ts';

/** Bytes of the one JSON file, and of the archive that holds it. */
export const resultLimit = 256 * 1024;
/** Contract checks and reasons that are kept of one result: a comment shows fewer. */
const kept = 50;

const long = z.string().max(20_000);
const verdict = z.enum(['pass', 'fail', 'inconclusive', 'error']);
const Checks = z
  .array(
    z.object({
      id: z.string().max(1000),
      verdict: z.string().max(40),
      /** Contract checks have a message and the line of the contract, the gate's a reason. */
      message: long.optional(),
      reason: long.optional(),
      effect: z.string().max(40).optional(),
      line: z.number().int().min(1).max(1_000_000).nullish(),
    }),
  )
  .max(5000);

/** An outcome as a pull request's run uploads it: anybody can have written it. Unknown members are dropped. */
const Outcome = z.object({
  schema: z.literal('modelgate.outcome/1'),
  stage: z.string().max(100),
  verdict,
  reason_code: z.string().regex(/^[a-z][a-z0-9_]{0,60}$/),
  summary: long,
  inputs: z.object({ model: z.unknown() }).partial().catch({}),
  outputs: z
    .object({
      reasons: z.array(long).max(1000).catch([]),
      contract_checks: Checks.catch([]),
      checks: Checks.catch([]),
    })
    .partial()
    .catch({}),
  error: z.object({ message: long, where: long.nullish(), fix: long }).optional(),
});

export interface ContractFinding {
  id: string;
  level: 'failure' | 'warning';
  message: string;
  line: number | null;
}

/** What one part of a run says of itself. Every text is a stranger's. */
export interface SampleResult {
  /** The model that it says it is about; null where it says none, or nothing that can be a name. */
  model: string | null;
  verdict: z.infer<typeof verdict>;
  code: string;
  summary: string;
  reasons: string[];
  /** Contract rules that did not hold, failures first. */
  contract: ContractFinding[];
}

/** Reads a result in memory. Null: it is not an outcome of ours. */
export function parseResult(bytes: Buffer): SampleResult | null {
  if (bytes.length > resultLimit) return null;
  let json: unknown;
  try {
    json = parseJson(new TextDecoder('utf-8', { fatal: true }).decode(bytes), resultLimit);
  } catch {
    return null; // no UTF-8, no JSON, too deep, or a key that reaches for a prototype
  }
  const outcome = Outcome.safeParse(json).data;
  if (outcome === undefined) return null;
  const { inputs, outputs, error } = outcome;
  const checks = [...(outputs.contract_checks ?? []), ...(outputs.checks ?? [])];
  return {
    model: Name.safeParse(inputs.model).data ?? null,
    verdict: outcome.verdict,
    code: outcome.reason_code,
    summary: outcome.summary,
    reasons: (error === undefined ? (outputs.reasons ?? []) : [`${error.message} ${error.fix}`]).slice(
      0,
      kept,
    ),
    contract: contractFindings(checks),
  };
}

/** The gate's checks have no message of their own and are told by its reasons. */
function contractFindings(checks: z.infer<typeof Checks>): ContractFinding[] {
  return checks
    .filter((check) => check.message !== undefined && (check.verdict === 'fail' || check.verdict === 'warn'))
    .map(({ id, verdict, message, line }) => ({
      id,
      level: verdict === 'fail' ? ('failure' as const) : ('warning' as const),
      message: message ?? '',
      line: line ?? null,
    }))
    .sort((a, b) => Number(a.level === 'warning') - Number(b.level === 'warning'))
    .slice(0, kept);
}
