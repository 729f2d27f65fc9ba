import type { Command, CommandName } from '../command.ts';
import type { CommandResult } from '../context.ts';
import { approve } from './approve.ts';
import { cancel } from './cancel.ts';
import { drift } from './drift.ts';
import { explain } from './explain.ts';
import type { CommandRequest, Handler } from './handler.ts';
import { help } from './help.ts';
import { lock, unlock } from './lock.ts';
import { promote } from './promote.ts';
import { retrain } from './retrain.ts';
import { rollback } from './rollback.ts';
import { status } from './status.ts';
import { train } from './train.ts';

const handlers: { readonly [N in CommandName]: Handler<N> } = {
  promote,
  rollback,
  approve,
  train,
  'ok-to-train': train,
  retrain,
  status,
  lock,
  hold: lock,
  unlock,
  release: unlock,
  explain,
  drift,
  cancel,
  help,
};

/** Carries out a command that its author may give. Throws `Refusal` and `UserError` where it is refused. */
export function carryOut(request: CommandRequest): Promise<CommandResult> {
  const handler = handlers[request.command.name] as (
    request: CommandRequest<Command>,
  ) => Promise<CommandResult>;
  return handler(request);
}
