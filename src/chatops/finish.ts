import type { WorkflowRun } from '../github/port.ts';
import type { LogEntry } from '../registry/entries.ts';
import { environmentOf } from '../registry/state.ts';
import type { ChatopsContext, CommandResult, Operation } from './context.ts';
import { endReplaced, noteDeployment, showDeployment } from './deployments.ts';
import { type End, endByResult } from './end-by-result.ts';
import { findRun, withRun } from './operations.ts';
import { findReply } from './replies.ts';
import { updateReply } from './reply-life.ts';
import type { ReplyRecord } from './reply-record.ts';

/** Milliseconds. GitHub may not show a run that it has just told; one that it never told may wait to be listed. */
const gone = 10 * 60_000;
const neverListed = 24 * 60 * 60_000;

type Move = Extract<LogEntry, { type: 'promote' | 'rollback' }>;
type Started = ReplyRecord & { operation: NonNullable<ReplyRecord['operation']> };

/**
 * Looks whether what a command started has ended, and tells it: in the reply, by a reaction, in the deployment. The
 * registry says what happened; the run only whether it still goes on. Null: there is nothing to tell yet, or it was
 * told. May be called as often as one likes, with the run's webhook or without.
 */
export async function finishOperation(
  context: ChatopsContext,
  { number, commentId }: { number: number; commentId: number },
): Promise<CommandResult | null> {
  const reply = await findReply(context, { number, commentId });
  const record = reply?.record ?? null;
  if (reply === null || record?.operation == null || record.decision !== 'started') return null;
  const started: Started = { ...record, operation: record.operation };
  const entry = await entryOf(context, started.operation);
  const run = await runOf(context, started);
  const operation = run === null ? started.operation : withRun(started.operation, run);
  const end =
    entry === null ? await endOfRun(context, { started, operation, run }) : endOfMove(started, entry);
  if (end === null) return null;
  const shown = await showEnd(context, { operation, entry, end, comment: { id: commentId, number } });
  const result = { ...end, checks: record.checks, operation: shown, details: null };
  await updateReply(context, { reply: reply.comment, record, result });
  return result;
}

/** The log's entry of an operation, where there is one. */
export async function entryOf({ models }: ChatopsContext, { model, opId }: Operation): Promise<Move | null> {
  const registry = model === null ? undefined : models.get(model)?.registry;
  if (registry === undefined || model === null) return null;
  const seq = await registry.operation(await registry.state(model), opId);
  if (seq === null) return null;
  const { entry } = await registry.entry(model, seq);
  return entry.type === 'promote' || entry.type === 'rollback' ? entry : null;
}

async function runOf(
  context: ChatopsContext,
  { operation, created_at }: Started,
): Promise<WorkflowRun | null> {
  const { run, opId, workflow } = operation;
  return run === null ? findRun(context, { opId, workflow, since: created_at }) : context.github.run(run.id);
}

/** From the comment to the entry of the log: what a person waited for. */
function endOfMove({ created_at, operation }: Started, entry: Move): End {
  const seconds = Math.max(0, Math.round((Date.parse(entry.at) - Date.parse(created_at)) / 1000));
  const what = `${entry.environment} serves ${operation.model}@${entry.version} (${entry.manifest.slice(0, 12)})`;
  const verb = entry.type === 'rollback' ? 'rolled back' : 'promoted';
  return { decision: 'done', reason: 'done', summary: `${what}, ${verb} in ${seconds} s.` };
}

/** Null while it goes on. */
async function endOfRun(
  context: ChatopsContext,
  { started, operation, run }: { started: Started; operation: Operation; run: WorkflowRun | null },
): Promise<End | null> {
  if (run === null) return endOfLost(context, started);
  if (run.status !== 'completed') return null;
  const { kind, model, environment } = operation;
  const found = await endByResult(context, { kind, run });
  if (found !== null) return found;
  if (run.conclusion === 'success' && (await servesAlready(context, operation))) {
    const summary = `${environment} served it already: nothing moved.`;
    return { decision: 'done', reason: 'nothing_to_do', summary };
  }
  const how = run.conclusion === 'cancelled' ? 'was cancelled' : 'failed';
  const left =
    model === null || environment === null ? '' : ` ${environment} runs what it ran before of ${model}.`;
  return {
    decision: 'failed',
    reason: 'internal',
    summary: `The run ${how}.${left} Its log says why; to try again, comment again.`,
  };
}

/** A run that GitHub does not show any more: somebody has deleted it, or it was never made. */
function endOfLost({ now }: ChatopsContext, { at, operation }: Started): End | null {
  const since = now().getTime() - Date.parse(at);
  if (since < (operation.run === null ? neverListed : gone)) return null;
  return {
    decision: 'failed',
    reason: 'internal',
    summary: 'GitHub shows no run of it any more, and the registry no effect. To try again, comment again.',
  };
}

async function servesAlready(
  { models }: ChatopsContext,
  { model, environment, inputs }: Operation,
): Promise<boolean> {
  const registry = model === null ? undefined : models.get(model)?.registry;
  if (registry === undefined || model === null || environment === null) return false;
  return environmentOf(await registry.state(model), environment).manifest === inputs.digest;
}

/** The deployment is rendered from the registry: made here where it could not be made before. */
async function showEnd(
  context: ChatopsContext,
  {
    operation,
    entry,
    end,
    comment,
  }: { operation: Operation; entry: Move | null; end: End; comment: { id: number; number: number } },
): Promise<Operation> {
  if (operation.environment === null || operation.model === null) return operation;
  const noted =
    operation.deployment === null ? await noteDeployment(context, { operation, comment }) : operation;
  if (entry === null) {
    const state = end.decision === 'done' ? 'inactive' : 'failure';
    await showDeployment(context, { operation: noted, state, description: end.summary });
    return noted;
  }
  const { entry: placed, head } = await headOf(context, operation.model, entry.seq);
  const description = `entry ${placed.seq}:${head}`;
  await showDeployment(context, { operation: noted, state: 'success', description });
  await endReplaced(context, { model: operation.model, entry });
  return noted;
}

async function headOf({ models }: ChatopsContext, model: string, seq: number) {
  const registry = models.get(model)?.registry;
  if (registry === undefined) throw new Error(`${model} is not configured`);
  return registry.entry(model, seq);
}
