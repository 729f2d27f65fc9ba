import { z } from 'zod';
import { UserError } from '../../errors.ts';
import { Digest } from '../../json.ts';
import { requireModel, requireVersion } from '../../registry/guards.ts';
import { defineCommand, type Project } from '../command.ts';
import { runStage } from '../define.ts';
import { reproduce } from '../reproduce.ts';
import { parseModel } from './environment.ts';

/** The package that a person means: a digest, MODEL@VERSION, or MODEL for its newest version. */
async function packageOf(text: string, { context }: Project): Promise<Digest> {
  const digest = Digest.safeParse(text);
  if (digest.success) return digest.data;
  const { model, version } = parseModel(text);
  const state = await context.registry.state(model);
  requireModel(state);
  const newest = state.versions.at(-1)?.version;
  if (newest !== undefined) return requireVersion(state, version ?? newest).manifest;
  throw new UserError({
    code: 'version_unknown',
    message: `${model} has no version yet.`,
    where: 'MODEL',
    fix: 'Register one with modelgate run, or give the digest of a model package.',
  });
}

const reproduceCommand = defineCommand({
  name: 'reproduce',
  description:
    "Trains a version's own recipe again, without the cache, and says whether its metrics come out the same.",
  positional: ['model'],
  options: z.object({
    model: z
      .string()
      .describe('MODEL or MODEL@VERSION (without a version, the newest), or the digest of a model package'),
    tolerance: z.coerce
      .number()
      .nonnegative()
      .max(1)
      .optional()
      .describe(
        "Largest relative difference of a metric. Left out: the recipe's train.reproduce_tolerance, else 1e-6",
      ),
  }),
  examples: [
    'modelgate reproduce flights-late@2',
    'modelgate reproduce flights-late --tolerance 0.001 --json',
  ],
  async run(options, project) {
    const model = await packageOf(options.model, project);
    return runStage(reproduce, { model, tolerance: options.tolerance ?? null }, project.context);
  },
});

export const trainingCommands = [reproduceCommand];
