import { decideRollback, isHealthy } from '../../registry/rules.ts';
import { type EnvironmentState, environmentOf, type ModelState } from '../../registry/state.ts';
import type { CommandResult, ConfiguredModel, Operation } from '../context.ts';
import type { Subject } from '../rules.ts';
import { Checklist } from './checklist.ts';
import { actorOf, type CommandOf, type CommandRequest, reasonOf } from './handler.ts';
import { packageCheck } from './package-check.ts';
import { done, Refusal, refused } from './refusal.ts';
import { lockCheck } from './registry-checks.ts';
import { requireUnmoved } from './seen.ts';
import { start } from './start.ts';
import { chooseModel, onlyEnvironment, requireRules, subjectOf } from './target.ts';

type Request = CommandRequest<CommandOf<'rollback'>>;

/**
 * Starts the way back to the last healthy version, or to one that served there before: on pull requests, merged
 * ones and issues. Gate and reviews are not asked, the digests are; the registry freezes what it left, unless the
 * person says that it is not at fault.
 */
export async function rollback(request: Request): Promise<CommandResult> {
  const { command, context, comment } = request;
  const subject = await subjectOf(context, comment);
  const { name, model } = chooseModel(context, command.model, subject);
  const state = await model.registry.state(name);
  const environment = command.environment ?? ofThread(subject, { name, model });
  const rules = requireRules(context, model, environment ?? onlyEnvironment(model, state));
  const target = environmentOf(state, rules.name);
  // two people who comment for one trouble mean one rollback: the second has not seen the first
  if (command.to === null || command.to !== target.version) requireUnmoved(target, comment);
  const to = command.to ?? stepsBack(state, target, command.steps);
  const list = new Checklist();
  lockCheck(list, { target, actor: actorOf(request), now: context.now(), model: name });
  if (list.refusal !== null) return refused(list.refusal, list.checks);
  const { environments } = rules;
  const about = {
    environment: rules.name,
    environments,
    to,
    expected_generation: null,
    freeze: !command.noFreeze,
    reason: command.reason,
    actor: actorOf(request),
  };
  let decision: ReturnType<typeof decideRollback> = null;
  list.rule('served before', {
    run: () => {
      decision = decideRollback(state, about, context.now());
    },
    passed: `${name}@${to ?? ''} served in ${rules.name} before`,
  });
  const plan = decision as ReturnType<typeof decideRollback>;
  if (list.refusal !== null) return refused(list.refusal, list.checks);
  if (plan === null) {
    return done(`${rules.name} runs ${name}@${to ?? ''} already.`, { reason: 'nothing_to_do' });
  }
  await packageCheck(list, model, plan.to.manifest);
  if (list.refusal !== null) return refused(list.refusal, list.checks);
  const operation = operationOf(request, { model: name, target, to: plan.to });
  const what = `${rules.name} from ${name}@${target.version ?? ''} to ${name}@${plan.to.version}`;
  const common = { checks: list.checks, details: null };
  if (command.dryRun) {
    const summary = `This would roll back ${what}. Nothing was done.`;
    return { decision: 'planned', reason: 'planned', summary, operation, ...common };
  }
  const after = command.noFreeze ? 'may be promoted there again' : 'is not promoted there again';
  return start(request, {
    ...{ operation, checks: list.checks },
    summary: `Rolling back ${what}; ${name}@${target.version ?? ''} ${after}.`,
    recheck: async () => requireGeneration(await model.registry.state(name), target),
  });
}

/** A drift issue says which environment it is about; the last one is named by the person all the same. */
function ofThread(
  { environment }: Subject,
  { name, model }: { name: string; model: ConfiguredModel },
): string | null {
  if (environment === null || environment !== model.config.environments.at(-1)?.name) return environment;
  throw new Refusal(
    'ambiguous',
    `This thread is about ${environment}, which is always named.`,
    `Say where: \`/rollback ${name} in ${environment}\``,
  );
}

/** The version so many healthy ones back; null where there is none: the registry says why. */
function stepsBack(state: ModelState, target: Readonly<EnvironmentState>, steps: number): number | null {
  const healthy = target.served
    .filter((move) => isHealthy(state, target, move))
    .map(({ version }) => version)
    .reverse();
  const found = healthy[steps - 1];
  if (found !== undefined) return found;
  if (steps === 1 || target.version === null) return null;
  throw new Refusal(
    'no_previous',
    `${target.name} has ${healthy.length} earlier healthy versions, not ${steps}.`,
    healthy.length === 0 ? 'Promote a version that passed its gate.' : `There are: ${healthy.join(', ')}.`,
  );
}

function requireGeneration(state: ModelState, before: Readonly<EnvironmentState>): void {
  if (environmentOf(state, before.name).generation === before.generation) return;
  throw new Refusal(
    'champion_moved',
    `${before.name} has moved meanwhile.`,
    'Look at `/status`, and try again.',
  );
}

function operationOf(
  request: Request,
  {
    model,
    target,
    to,
  }: {
    model: string;
    target: Readonly<EnvironmentState>;
    to: { version: number; manifest: string };
  },
): Operation {
  const { context, opId, command } = request;
  return {
    opId,
    kind: 'rollback',
    workflow: context.policy.workflows.rollback,
    inputs: {
      model,
      environment: target.name,
      to: String(to.version),
      expected_generation: String(target.generation),
      op_id: opId,
      digest: to.manifest,
      reason: reasonOf(command.reason, request),
      // a copied workflow may not know the input yet: only who needs it sends it
      ...(command.noFreeze ? { no_freeze: 'true' } : {}),
      requested_by: actorOf(request).name,
    },
    model,
    environment: target.name,
    run: null,
    deployment: null,
  };
}
