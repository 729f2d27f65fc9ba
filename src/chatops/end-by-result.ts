import type { WorkflowRun } from '../github/port.ts';
import type { Verdict } from '../outcome.ts';
import type { ChatopsContext, CommandResult, Operation, ReasonCode } from './context.ts';
import { type MonitorResult, readResults } from './drift/monitor-result.ts';
import { isMonitor } from './drift/on-monitor-run.ts';
import { judgedBy } from './reports/judged.ts';
import { kindOf, ofDefaultBranch } from './reports/run.ts';

/** How an operation ended. */
export type End = Pick<CommandResult, 'decision' | 'reason' | 'summary'>;

/**
 * What a training or a drift check came to, by its own result: a gate that fails and drift that is found end the run
 * red, and are what was asked for. Null: it has none, or it is a move, of which the registry tells.
 */
export async function endByResult(
  context: ChatopsContext,
  { kind, run }: { kind: Operation['kind']; run: WorkflowRun },
): Promise<End | null> {
  if (kind === 'promote' || kind === 'rollback') return null;
  const end = kind === 'drift' ? await endOfDrift(context, run) : await endOfTraining(context, run);
  if (end !== null || run.conclusion !== 'success') return end;
  const what = kind === 'drift' ? 'The drift check' : 'The training';
  return { decision: 'done', reason: 'done', summary: `${what} ended well.` };
}

const verdicts: Readonly<Record<Verdict, { reason: ReasonCode; words: string }>> = {
  pass: { reason: 'done', words: 'passed its gate' },
  fail: { reason: 'gate_failed', words: 'failed its gate' },
  inconclusive: { reason: 'gate_undecided', words: 'has an undecided gate' },
};

async function endOfTraining(context: ChatopsContext, run: WorkflowRun): Promise<End | null> {
  if ((await kindOf(run, context)) !== 'train') return null;
  const [judged] = await judgedBy(context, run);
  if (judged === undefined) return null;
  const { model, commit, version } = judged;
  const { reason, words } = verdicts[version.verdict];
  const name = `${model}@${version.version}`;
  const summary = `Trained at ${commit.slice(0, 12)}: ${name} ${words}. Why: \`/explain ${name}\``;
  return { decision: 'done', reason, summary };
}

async function endOfDrift(context: ChatopsContext, run: WorkflowRun): Promise<End | null> {
  if (!isMonitor(run, context) || !(await ofDefaultBranch(run, context))) return null;
  const results = await readResults(context, run);
  const failed = results.find((one) => one.verdict === 'error');
  if (failed !== undefined) {
    const summary = `The drift check could not be made: ${failed.summary.slice(0, 400)}`;
    return { decision: 'failed', reason: 'unavailable', summary };
  }
  const judged = results.filter((one) => one.verdict !== 'error');
  if (judged.length === 0) return null;
  const alerts = judged.flatMap(({ outputs }) => outputs.alerts);
  const summary = judged.map(found).join(' ');
  return { decision: 'done', reason: alerts.length > 0 ? 'drift_found' : 'done', summary };
}

function found({ inputs, outputs, reason_code }: MonitorResult): string {
  const where = `${inputs.model} in ${inputs.environment}`;
  const [first, ...more] = outputs.alerts;
  if (first !== undefined) {
    const others = more.length === 0 ? '' : `, and ${more.length} more`;
    return `The drift check found: ${first.title.slice(0, 300)}${others}. Its issue says more.`;
  }
  const words = reason_code === 'not_decidable' ? 'there is too little data to decide' : 'nothing alarms';
  return `The drift check of ${where} has ended: ${words}.`;
}
