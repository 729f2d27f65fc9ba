import type { CommandResult, Operation } from '../context.ts';
import type { CommandOf, CommandRequest } from './handler.ts';
import { start } from './start.ts';
import { chooseModel, inputsOf, subjectOf } from './target.ts';

/** Trains the default branch again, on the newest data: its candidate goes through the same gate as any other. */
export async function retrain(request: CommandRequest<CommandOf<'retrain'>>): Promise<CommandResult> {
  const { command, context, comment, opId } = request;
  const { name, model } = chooseModel(context, command.model, await subjectOf(context, comment));
  const { base, policy } = context;
  const operation: Operation = {
    opId,
    kind: 'retrain',
    workflow: policy.workflows.train,
    inputs: { sha: base.sha, op_id: opId, ...inputsOf(name, model) },
    model: name,
    environment: null,
    run: null,
    deployment: null,
  };
  const summary = `Training ${name} of ${base.branch} again; evaluation, gate and registration follow by themselves.`;
  return start(request, { operation, checks: [], summary });
}
