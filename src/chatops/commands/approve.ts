import { approvePromotion, samePerson, standingRequest } from '../../registry/approvals.ts';
import { environmentOf, type ModelState } from '../../registry/state.ts';
import type { CommandResult, ConfiguredModel } from '../context.ts';
import { candidateOf } from './candidate.ts';
import { actorOf, type CommandOf, type CommandRequest } from './handler.ts';
import { done, Refusal } from './refusal.ts';
import { chooseModel, requireRules, subjectOf } from './target.ts';

type Request = CommandRequest<CommandOf<'approve'>>;

/** Writes another person's word for a version into the log. It is bound to the package's digest, and to what serves now. */
export async function approve(request: Request): Promise<CommandResult> {
  const { command, context, comment, opId } = request;
  const { name, model } = chooseModel(context, command.model, await subjectOf(context, comment));
  const { registry } = model;
  const state = await registry.state(name);
  const { version, environment } = await meant(request, { state, model });
  const rules = requireRules(context, model, environment);
  const actor = actorOf(request);
  const asked = standingRequest(environmentOf(state, environment), version);
  if (asked !== null && samePerson(asked.by.name, actor.name)) {
    throw new Refusal(
      'self_approval',
      `${actor.name} asked for ${name}@${version} in ${environment}, and cannot approve it too.`,
      'Another person approves.',
    );
  }
  const committed = await approvePromotion(registry, {
    ...{ model: name, version, environment, environments: rules.environments, approvers: rules.approvers },
    ...{ actor, op_id: opId, reason: null },
  });
  const what = `${name}@${version} for ${environment}`;
  if (committed.status === 'nothing')
    return done(`${what} was approved already.`, { reason: 'nothing_to_do' });
  const digest = state.versions[version - 1]?.manifest.slice(0, 12) ?? '';
  const confirm = rules.confirm ? ` --confirm=${digest}` : '';
  return done(
    `${actor.name} approved ${what}. Next: \`/promote ${name}@${version} to ${environment}${confirm}\``,
  );
}

/** What stands asked for: named, or the only one; on a pull request that of its head commit. The last environment is named. */
async function meant(
  { command, context, comment }: Request,
  { state, model }: { state: ModelState; model: ConfiguredModel },
): Promise<{ version: number; environment: string }> {
  const last = model.config.environments.at(-1)?.name ?? '';
  const open = [...state.environments.values()].flatMap(({ name: environment, requests }) =>
    requests.map(({ version }) => ({ environment, version })),
  );
  let version = command.version;
  if (version === null && comment.isPullRequest) {
    const head = (await context.github.pullRequest(comment.number))?.headSha;
    version =
      head === undefined ? null : ((await candidateOf(model.registry, state, head))?.version.version ?? null);
    if (version === null) {
      throw new Refusal(
        'no_candidate',
        'The head commit has no version to approve.',
        'Name one: `/approve MODEL@VERSION to ENVIRONMENT`',
      );
    }
  }
  const asked = open.filter((one) => version === null || one.version === version);
  // without its name nobody was asked whether this person may approve for the last one
  const fitting = asked.filter(({ environment }) =>
    command.environment === null ? environment !== last : environment === command.environment,
  );
  const [only] = fitting;
  if (only !== undefined && fitting.length === 1) return only;
  if (version !== null && command.environment !== null) return { version, environment: command.environment };
  if (fitting.length > 1) {
    const list = fitting.map((one) => `${state.model}@${one.version} to ${one.environment}`).join(', ');
    throw new Refusal('ambiguous', `Several are asked for: ${list}.`, 'Name the one that you mean.');
  }
  const there = asked.find(({ environment }) => environment === last);
  if (there !== undefined && command.environment === null) {
    throw new Refusal(
      'ambiguous',
      `It is asked for in ${last}, which is always named.`,
      `Say where: \`/approve ${state.model}@${there.version} to ${last}\``,
    );
  }
  throw new Refusal(
    'approval_needed',
    'Nobody asked for a promotion that could be approved.',
    'First somebody else comments `/promote`.',
  );
}
