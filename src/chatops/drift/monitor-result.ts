import { z } from 'zod';
import { UserError } from '../../errors.ts';
import type { WorkflowRun } from '../../github/port.ts';
import { Digest, parseJson } from '../../json.ts';
import { Playbook } from '../../monitoring/playbooks.ts';
import { Action, Alert, Signal } from '../../monitoring/signal.ts';
import { Name } from '../../names.ts';
import type { ChatopsContext } from '../context.ts';

/** Bytes of an archive, and of the one file that is read of it: alerts are whole issues, reports are beside them. */
const resultLimit = 16_000_000;
/** Models that one run looks at: GitHub makes as many jobs of a matrix. */
const mostArtifacts = 256;

const code = z.string().regex(/^[a-z][a-z0-9_]{0,60}$/);
const common = { schema: z.literal('modelgate.outcome/1'), stage: z.literal('monitor'), reason_code: code };

const Judged = z.object({
  ...common,
  verdict: z.enum(['pass', 'fail', 'inconclusive']),
  inputs: z.object({
    model: Name,
    environment: Name,
    since: z.string().max(100),
    until: z.string().max(100),
  }),
  outputs: z.object({
    version: z.number().int().positive(),
    signals: z.array(Signal).max(20_000),
    alerts: z.array(Alert).max(20),
    actions: z.array(Action).max(20),
    drift: Digest,
  }),
});
const Failed = z.object({
  ...common,
  verdict: z.literal('error'),
  failure_class: Playbook.shape.class.catch('unknown'),
  summary: z.string().max(20_000),
  error: z.object({ message: z.string().max(20_000), fix: z.string().max(20_000) }).optional(),
});
export type MonitorResult = z.infer<typeof Judged>;
export type MonitorFailure = z.infer<typeof Failed>;
const Result = z.discriminatedUnion('verdict', [Judged, Failed]);

/** What the parts of a run say, in memory: one artifact `modelgate-monitor…` a model and environment. */
export async function readResults(
  { github, logger }: Pick<ChatopsContext, 'github' | 'logger'>,
  run: Pick<WorkflowRun, 'id'>,
): Promise<(MonitorResult | MonitorFailure)[]> {
  const found: (MonitorResult | MonitorFailure)[] = [];
  const artifacts = (await github.artifacts(run.id)).filter(
    ({ name, expired }) => !expired && /^modelgate-monitor(-|$)/.test(name),
  );
  for (const artifact of newestOf(artifacts).slice(0, mostArtifacts)) {
    try {
      const bytes = await github.artifactFile({ artifact, name: /^outcome\.json$/, limit: resultLimit });
      const result = bytes === null ? null : parseResult(bytes);
      if (result === null)
        logger.warn(`artifact ${artifact.id} of run ${run.id} is no result of the monitor`);
      else found.push(result);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      logger.warn(`artifact ${artifact.id} of run ${run.id}: ${error.message}`);
    }
  }
  return found;
}

/** A job that was run again uploads under the same name: what came last counts. */
function newestOf<A extends { id: number; name: string }>(artifacts: readonly A[]): A[] {
  const byName = new Map<string, A>();
  for (const artifact of [...artifacts].sort((a, b) => a.id - b.id)) byName.set(artifact.name, artifact);
  return [...byName.values()];
}

/** Null: it is not an outcome of the monitor. */
export function parseResult(bytes: Buffer): MonitorResult | MonitorFailure | null {
  try {
    const json = parseJson(new TextDecoder('utf-8', { fatal: true }).decode(bytes), resultLimit);
    return Result.safeParse(json).data ?? null;
  } catch {
    return null; // no UTF-8, no JSON, too deep, or a key that reaches for a prototype
  }
}
