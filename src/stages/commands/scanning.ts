import path from 'node:path';
import { z } from 'zod';
import { UserError } from '../../errors.ts';
import { readCandidateLock } from '../../gate/scans/coverage.ts';
import { Digest } from '../../json.ts';
import { ImageReference } from '../../scanning/image-reference.ts';
import { defineCommand, type Project } from '../command.ts';
import { runStage } from '../define.ts';
import { scan } from '../scan.ts';

const scanCommand = defineCommand({
  name: 'scan',
  description:
    'Has OSV-Scanner look at the locked packages of a model, and at an image, for known weaknesses; the gate judges its reports.',
  positional: [],
  options: z.object({
    model: Digest.optional().describe(
      "Digest of the model package whose lock is meant. Left out: the configuration's `train.requirements`",
    ),
    image: ImageReference.optional().describe(
      'An image that is scanned too, by its digest: NAME@sha256:…; Docker fetches it',
    ),
    output: z
      .string()
      .min(1)
      .max(1000)
      .default('modelgate-scan')
      .describe('The folder for the reports, dependencies.json and image.json'),
    offline: z
      .boolean()
      .default(false)
      .describe('Ask nobody: the databases lie in OSV_SCANNER_LOCAL_DB_CACHE_DIRECTORY'),
  }),
  examples: [
    'modelgate scan && modelgate run --scan modelgate-scan/dependencies.json',
    `modelgate scan --image ghcr.io/acme/serving@sha256:${'0123456789abcdef'.repeat(4)} --json`,
  ],
  async run({ model, image = null, output, offline }, project) {
    const lock = model === undefined ? await configuredLock(project) : await lockOf(project, model);
    return runStage(
      scan,
      { model: model ?? null, lock, image, output: path.resolve(output), offline },
      project.context,
    );
  },
});

export const scanningCommands = [scanCommand];

async function configuredLock({ config, context }: Project): Promise<Digest> {
  const { train } = (await config()).config;
  return (await context.store.putFile(train.requirements)).sha256;
}

async function lockOf({ context }: Project, model: Digest): Promise<Digest> {
  const lock = await readCandidateLock(context.store, model);
  if (lock !== null) return lock.sha256;
  throw new UserError({
    code: 'scan_incomplete',
    message: 'The model package holds no lock, so there is nothing to scan.',
    where: `model ${model.slice(0, 12)}`,
    fix: 'Train it again: `train` keeps the lock with the package.',
  });
}
