import path from 'node:path';
import { z } from 'zod';
import { UserError } from '../errors.ts';
import { AdmissionRules } from '../evaluation/admission-policy.ts';
import { loadPredictor } from '../evaluation/onnxruntime.ts';
import { sha256 } from '../json.ts';
import { Name } from '../names.ts';
import type { Trust } from '../provenance/policy.ts';
import { prove, subjectOf } from '../provenance/verify.ts';
import { requireModel, requireVersion } from '../registry/rules.ts';
import { type EnvironmentPointer, Follower, type FollowerStatus } from '../serving/follower.ts';
import { readPackage } from '../serving/package.ts';
import { type LogStatus, PredictionLog } from '../serving/prediction-log.ts';
import { defineStage, type StageContext } from './define.ts';
import { trust } from './registry-inputs.ts';

export const ServeInput = z.object({
  model: Name,
  environment: Name.describe('The environment that is followed, e.g. production.'),
  host: z
    .string()
    .min(1)
    .max(255)
    .default('127.0.0.1')
    .describe('Another one than loopback needs MODELGATE_SERVE_TOKEN.'),
  port: z.number().int().min(0).max(65_535).default(8080).describe('0 takes a free one.'),
  log_directory: z
    .string()
    .nullable()
    .default(null)
    .describe('Where predictions wait until they are in the store. Left out: a folder of the cache.'),
  personal: z
    .array(z.string().min(1).max(128))
    .default([])
    .describe('Inputs that say who somebody is (row_key too): only a keyed hash of them is logged.'),
  trust,
  admission: AdmissionRules.optional().describe('What the project allows of model files.'),
});
export type ServeInput = z.infer<typeof ServeInput>;

export interface RunningService {
  url: string;
  port: number;
  status(): FollowerStatus;
  log(): LogStatus;
  /** Answers what is under way, puts the prediction log into the store, and ends the models' processes. */
  close(): Promise<void>;
}

/** Folder of the open segments of the prediction log. */
export function spoolFolder(
  logDirectory: string | null,
  context: Pick<StageContext, 'cacheDirectory' | 'store'>,
): string {
  // A folder a store: what one service left behind must not be closed into another one's store.
  return logDirectory === null
    ? path.join(context.cacheDirectory, 'prediction-log', sha256(context.store.storage.url).slice(0, 16))
    : path.resolve(logDirectory);
}

/** Where the registry says that an environment stands. */
export function pointerOf(
  context: Pick<StageContext, 'registry'>,
  model: string,
  environment: string,
): EnvironmentPointer {
  return {
    async current() {
      const state = await context.registry.state(model);
      requireModel(state);
      const { version, manifest, generation } = state.environments.get(environment) ?? {};
      if (version == null || manifest == null || generation === undefined) return null;
      return { version, manifest, generation };
    },
  };
}

/**
 * Verifies what an environment asks of a package before it is loaded: the move that brought it there may be older
 * than the policy, or made by another program. Throws as `prove` does.
 */
export async function requireTrust(
  context: Pick<StageContext, 'registry' | 'store'>,
  request: { model: string; manifest: string; trust: Trust | undefined },
): Promise<void> {
  const { registry, store } = context;
  if (request.trust === undefined) return;
  const subject = subjectOf(await registry.state(request.model), request.manifest);
  await prove({ store, subject, trust: request.trust, now: registry.now() });
}

/**
 * Refuses a version that failed its gate: a log that says that it serves was not written by the rules. Throws
 * `not_passed`.
 */
export async function requireNotFailed(
  context: Pick<StageContext, 'registry'>,
  { model, version, environment }: { model: string; version: number; environment: string },
): Promise<void> {
  const { verdict } = requireVersion(await context.registry.state(model), version);
  if (verdict !== 'fail') return;
  throw new UserError({
    code: 'not_passed',
    message: `${model}@${version} failed its gate and is not loaded, though the log says that ${environment} runs it.`,
    where: `${model}@${version}`,
    fix: `Nothing that keeps the rules wrote that: run \`modelgate registry verify\`, find out who can write to the store, and promote a version that passed, or roll back.`,
  });
}

/**
 * Starts serving: the token is taken from MODELGATE_SERVE_TOKEN, the key of hashed inputs from
 * MODELGATE_LOG_KEY. Throws `model_unknown`, `usage` (port), `storage_unavailable`.
 */
export async function startService(input: ServeInput, context: StageContext): Promise<RunningService> {
  const { model, environment, host, port, personal } = input;
  const { store, logger } = context;
  const follower = new Follower({
    pointer: pointerOf(context, model, environment),
    load: async (manifest, version) => {
      await requireNotFailed(context, { model, version, environment });
      const { modelFile, signature } = await readPackage(store, manifest);
      await requireTrust(context, { model, manifest, trust: input.trust });
      return loadPredictor({ file: modelFile, signature, admission: input.admission });
    },
    logger,
  });
  let log: PredictionLog | undefined;
  try {
    await follower.start();
    log = await PredictionLog.open({
      folder: spoolFolder(input.log_directory, context),
      storage: store.storage,
      // not the run's signal: the log is put into the store after the run was told to stop
      engine: () => context.engine({ signal: new AbortController().signal }),
      model,
      environment,
      personal,
      hashKey: process.env.MODELGATE_LOG_KEY || undefined,
      logger,
    });
    const token = process.env.MODELGATE_SERVE_TOKEN || null;
    // Node's HTTP takes long to load, and the other commands of this group need none
    const { startServer } = await import('../serving/server.ts');
    const server = await startServer({ model, environment, follower, log, logger, host, port, token });
    const opened = log;
    return {
      url: server.url,
      port: server.port,
      status: () => follower.status(),
      log: () => opened.status(),
      async close() {
        await server.close();
        await opened.close();
        await follower.close();
      },
    };
  } catch (error) {
    await log?.close();
    await follower.close();
    throw error;
  }
}

export const serve = defineStage({
  name: 'serve',
  description:
    'Serves what an environment runs over the Open Inference Protocol v2, and logs every prediction.',
  inputs: ServeInput,
  outputs: z.object({
    url: z.string(),
    version: z.number().nullable(),
    generation: z.number().nullable(),
    predictions: z.number(),
    swaps: z.number(),
  }),
  cache: false,
  run: async (input, context) => {
    const { model, environment } = input;
    const service = await startService(input, context);
    const { serving, loadError } = service.status();
    const what =
      serving === null
        ? `nothing yet of ${model} (${loadError?.message ?? `no version is in ${environment}`})`
        : `version ${serving.version} of ${model}`;
    context.logger.info(`Serving ${what} for ${environment} at ${service.url}`);
    await new Promise<void>((resolve) => {
      if (context.signal.aborted) resolve();
      context.signal.addEventListener('abort', () => resolve(), { once: true });
    });
    context.logger.info('Stopping: answering what is under way.');
    const status = service.status();
    await service.close();
    const { writtenRows, pendingRows, lastError } = service.log();
    if (pendingRows > 0) {
      throw new UserError({
        code: 'storage_unavailable',
        message: `${pendingRows} predictions could not be logged: ${lastError ?? 'the disk refuses them'}`,
        where: spoolFolder(input.log_directory, context),
        fix: 'Free some space there, or give another folder with --log-directory.',
      });
    }
    return {
      verdict: 'pass',
      reason_code: 'done',
      summary: `Served ${writtenRows} predictions of ${model} in ${environment}.`,
      outputs: {
        url: service.url,
        version: status.serving?.version ?? null,
        generation: status.serving?.generation ?? null,
        predictions: writtenRows,
        swaps: status.swaps,
      },
    };
  },
});
