import { z } from 'zod';
import { UserError } from '../errors.ts';
import type { Deployment, DeploymentState } from '../github/port.ts';
import { Digest } from '../json.ts';
import type { LogEntry } from '../registry/entries.ts';
import { environmentOf } from '../registry/state.ts';
import { Refusal, refusalOf } from './commands/refusal.ts';
import type { ChatopsContext, IncomingComment, Operation } from './context.ts';

/** Tells our deployments from those that workflows make by themselves. */
const task = 'modelgate';
/** How far back a deployment is sought. */
const sought = 200;

/** What a deployment of ours says. Anybody who may deploy can write one: it leads to the reply, which is believed. */
export const DeploymentPayload = z.object({
  type: z.literal('modelgate'),
  op_id: z.string().max(128),
  kind: z.enum(['promote', 'rollback']),
  model: z.string().max(63),
  version: z.number().int().positive(),
  digest: Digest,
  environment: z.string().max(63),
  /** The environment's generation before the move. */
  generation: z.number().int().nonnegative(),
  number: z.number().int().positive(),
  comment: z.number().int().positive(),
  /** The log's newest entry when it was asked for, `SEQ:HASH`: an anchor for `modelgate registry verify`. */
  anchor: z.string().max(100).nullable(),
});
export type DeploymentPayload = z.infer<typeof DeploymentPayload>;

export async function findDeployment(
  { github }: Pick<ChatopsContext, 'github'>,
  { opId, environment }: { opId: string; environment: string },
): Promise<{ deployment: Deployment; payload: DeploymentPayload } | null> {
  let seen = 0;
  for await (const deployment of github.deployments({ environment, task })) {
    const payload = DeploymentPayload.safeParse(deployment.payload).data;
    if (payload?.op_id === opId) return { deployment, payload };
    seen += 1;
    if (seen >= sought) break;
  }
  return null;
}

/**
 * Makes the deployment of an operation, once; GitHub shows it as queued. From a run it leads back to the command.
 * Operations that move no environment have none. Refuses `unavailable` where GitHub refuses it: without it the run
 * would not be let in.
 */
export async function requireDeployment(
  context: ChatopsContext,
  { operation, comment }: { operation: Operation; comment: Pick<IncomingComment, 'id' | 'number'> },
): Promise<Operation> {
  const { environment } = operation;
  const payload = await payloadOf(context, operation, comment);
  if (payload === null || environment === null) return operation;
  try {
    const found = await findDeployment(context, { opId: operation.opId, environment });
    const { id } = found?.deployment ?? (await create(context, payload));
    return { ...operation, deployment: id };
  } catch (error) {
    const refusal = refusalOf(error);
    if (refusal === null) throw error;
    throw new Refusal(
      'unavailable',
      `GitHub makes no deployment to ${environment}, by which the run would be known: ${refusal.message}`,
      'Give the app, or the job, the permission `deployments: write`, and look at the environment in the settings of the repository.',
    );
  }
}

/** The same at the end of an operation, where it is a view alone. */
export async function noteDeployment(
  context: ChatopsContext,
  about: Parameters<typeof requireDeployment>[1],
): Promise<Operation> {
  try {
    return await requireDeployment(context, about);
  } catch (error) {
    const refusal = refusalOf(error);
    if (refusal === null) throw error;
    context.logger.warn(`no deployment for ${about.operation.opId.slice(0, 12)}: ${refusal.message}`);
    return about.operation;
  }
}

async function payloadOf(
  { models }: ChatopsContext,
  { kind, model, environment, inputs, opId }: Operation,
  { id, number }: Pick<IncomingComment, 'id' | 'number'>,
): Promise<DeploymentPayload | null> {
  const registry = model === null ? undefined : models.get(model)?.registry;
  if (registry === undefined || model === null) return null;
  const state = await registry.state(model);
  return (
    DeploymentPayload.safeParse({
      type: task,
      op_id: opId,
      kind,
      model,
      version: Number(inputs.version ?? inputs.to ?? inputs.model?.split('@')[1]),
      digest: inputs.digest,
      environment,
      generation: Number(inputs.expected_generation),
      number,
      comment: id,
      anchor: state.head === null ? null : `${state.seq}:${state.head}`,
    }).data ?? null
  );
}

/** At the version's commit; at the default branch's where GitHub does not know that commit any more. */
async function create(context: ChatopsContext, payload: DeploymentPayload): Promise<Deployment> {
  const { github, models, base } = context;
  const model = models.get(payload.model);
  const manifest = await model?.registry.store.readManifest(payload.digest, 'model');
  const commit = manifest?.producer.commit ?? '';
  const make = (sha: string) =>
    github.createDeployment({
      sha,
      environment: payload.environment,
      task,
      production: model?.config.environments.at(-1)?.name === payload.environment,
      description: `${payload.kind} ${payload.model}@${payload.version}`.slice(0, 140),
      payload,
    });
  if (!/^[0-9a-f]{40}$/.test(commit) || commit === base.sha) return make(base.sha);
  try {
    return await make(commit);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return make(base.sha);
  }
}

/** Tells where a deployment stands, in 140 characters; the one that it replaced becomes inactive. */
export async function showDeployment(
  context: ChatopsContext,
  { operation, state, description }: { operation: Operation; state: DeploymentState; description: string },
): Promise<void> {
  if (operation.deployment === null) return;
  await bestEffort(context, () =>
    context.github.setDeploymentState(operation.deployment as number, {
      state,
      description: description.slice(0, 140),
      logUrl: operation.run?.url ?? null,
    }),
  );
}

/** GitHub ends only deployments to environments that are not production by itself; the registry says which is over. */
export async function endReplaced(
  context: ChatopsContext,
  { model, entry }: { model: string; entry: Extract<LogEntry, { type: 'promote' | 'rollback' }> },
): Promise<void> {
  const registry = context.models.get(model)?.registry;
  if (registry === undefined) return;
  const { served } = environmentOf(await registry.state(model), entry.environment);
  const before = served.find(({ generation }) => generation === entry.generation - 1);
  if (before === undefined) return;
  const { entry: replaced } = await registry.entry(model, before.seq);
  await bestEffort(context, async () => {
    const found = await findDeployment(context, {
      opId: replaced.op_id,
      environment: entry.environment,
    });
    if (found === null) return;
    await context.github.setDeploymentState(found.deployment.id, {
      state: 'inactive',
      description: `replaced by ${model}@${entry.version}`.slice(0, 140),
      logUrl: null,
    });
  });
}

async function bestEffort({ logger }: ChatopsContext, show: () => Promise<void>): Promise<void> {
  try {
    await show();
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    logger.warn(`a deployment is not shown as it is: ${error.message}`);
  }
}
