import { randomUUID } from 'node:crypto';
import type { z } from 'zod';
import { type Code, codes } from '../codes.ts';
import type { EngineOptions, SqlEngine } from '../data/engine.ts';
import { asTold, UserError } from '../errors.ts';
import { digestOf } from '../json.ts';
import type { Logger } from '../logger.ts';
import { failedOutcome, Outcome, type Verdict } from '../outcome.ts';
import type { Actor } from '../registry/entries.ts';
import type { Registry } from '../registry/registry.ts';
import type { Producer } from '../store/manifest.ts';
import type { Store } from '../store/store.ts';
import { visible } from '../visible.ts';

/** All that a stage may use. Only `cli`, `actions` and `bot` make one. */
export interface StageContext {
  store: Store;
  registry: Registry;
  engine(options?: Partial<EngineOptions>): Promise<SqlEngine>;
  logger: Logger;
  signal: AbortSignal;
  /** The wall clock, for the log's `at`. Stages that judge age take `as_of` as an input. */
  now(): Date;
  producer: Producer;
  actor: Actor;
  /** An empty folder of this run's own, removed at its end. */
  workDirectory: string;
  /** Kept between runs: Python environments, native modules. */
  cacheDirectory: string;
}

/** What a stage's `run` returns. */
export interface StageResult<Outputs> {
  verdict: Verdict;
  reason_code: Code;
  summary: string;
  outputs: Outputs;
  timings?: Record<string, number>;
}

/** `Given` is what a caller may leave defaults out of; `Input` is what `run` gets. */
export interface Stage<Input = unknown, Outputs = unknown, Given = Input> {
  name: string;
  /** One sentence for `--help`, action.yml and the README table. */
  description: string;
  inputs: z.ZodType<Input, Given>;
  outputs: z.ZodType<Outputs>;
  /**
   * Whether equal inputs mean an equal result, so that a stored one is read back. Bump `version` when the
   * stage's code starts to give another result for the same inputs. `false` for stages that act.
   */
  cache: false | { version: number };
  run(input: Input, context: StageContext): Promise<StageResult<Outputs>>;
}

export function defineStage<Input, Outputs, Given>(
  stage: Stage<Input, Outputs, Given>,
): Stage<Input, Outputs, Given> {
  return stage;
}

/** Narrows an outcome's outputs; undefined when the stage did not get that far. */
export type StageOutcome<Outputs> = Omit<Outcome, 'outputs'> & { outputs: Partial<Outputs> };

/**
 * Runs a stage and always returns an outcome: a user's error and a fault of ours become `verdict: error`.
 * Results without an error are cached by the digest of their inputs.
 */
export async function runStage<Input, Outputs, Given>(
  stage: Stage<Input, Outputs, Given>,
  input: NoInfer<Given>,
  context: StageContext,
): Promise<StageOutcome<Outputs>> {
  const started = process.uptime(); // monotonic; `performance` would load a module at each start
  const seconds = () => Math.round((process.uptime() - started) * 1000) / 1000;
  const trace_id = randomUUID();
  const base = { schema: 'modelgate.outcome/1' as const, stage: stage.name, trace_id, cached: false };
  let inputs: Record<string, unknown> = {};
  try {
    context.signal.throwIfAborted();
    const parsed = parseInputs(stage, input);
    inputs = parsed as Record<string, unknown>;
    const key = stage.cache === false ? null : digestOf({ stage: stage.name, ...stage.cache, inputs });
    if (key !== null) {
      const hit = await readCached(stage, key, context);
      if (hit !== null)
        return { ...hit, trace_id, cached: true, timings: { ...hit.timings, total: seconds() } };
    }
    const result = await stage.run(parsed, context);
    const outcome: StageOutcome<Outputs> = {
      ...base,
      ...result,
      summary: visible(result.summary),
      outputs: stage.outputs.parse(result.outputs) as Partial<Outputs>,
      inputs,
      timings: { ...result.timings, total: seconds() },
      ...(result.verdict === 'pass' ? {} : { failure_class: codes[result.reason_code].class }),
    };
    if (key === null) return outcome;
    const standing = await context.store.writeCache(stage.name, key, outcome);
    return { ...(parseOutcome(stage, standing) ?? outcome), trace_id, timings: outcome.timings };
  } catch (error) {
    const told = asTold(error, { signal: context.signal, where: `stage ${stage.name}` });
    if (!(told instanceof UserError) && error instanceof Error) {
      context.logger.debug(error.stack ?? error.message);
    }
    return failedOutcome({ stage: stage.name, error: told, inputs, trace_id, seconds: seconds() });
  }
}

/** What comes from a flag, an action's input or a caller goes through the stage's own schema; a misfit is the user's. */
function parseInputs<Input, Outputs, Given>(stage: Stage<Input, Outputs, Given>, input: Given): Input {
  const parsed = stage.inputs.safeParse(input);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const where = issue?.path.join('.') || 'the inputs';
  throw new UserError({
    code: 'usage',
    message: `${stage.name}: ${where.replaceAll('_', ' ')} is not valid: ${issue?.message ?? 'another form is expected'}.`,
    where,
    fix: `Give a value of the expected form; modelgate ${stage.name} --help describes each.`,
  });
}

async function readCached<Input, Outputs, Given>(
  stage: Stage<Input, Outputs, Given>,
  key: string,
  context: StageContext,
): Promise<StageOutcome<Outputs> | null> {
  return parseOutcome(stage, await context.store.readCache(stage.name, key));
}

/** A stored outcome, or null when it is none of this stage. */
function parseOutcome<Input, Outputs, Given>(
  stage: Stage<Input, Outputs, Given>,
  stored: unknown,
): StageOutcome<Outputs> | null {
  const outcome = Outcome.safeParse(stored);
  if (!outcome.success) return null;
  const outputs = stage.outputs.safeParse(outcome.data.outputs);
  return outputs.success ? { ...outcome.data, outputs: outputs.data as Partial<Outputs> } : null;
}
