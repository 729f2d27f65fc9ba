import { access, chmod, copyFile, mkdir } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { Instant } from '../../config/schema.ts';
import { UserError } from '../../errors.ts';
import { defineCommand } from '../command.ts';
import { runStage } from '../define.ts';
import { pin } from '../pin.ts';
import { orStopped, Pipeline } from '../pipeline.ts';

const pinCommand = defineCommand({
  name: 'pin',
  description:
    'Makes an evaluation set: keys, labels and slice columns of a window, with the hash to pin it by.',
  positional: ['output'],
  options: z.object({
    output: z.string().describe('The Parquet file to write'),
    from: Instant.optional().describe('First moment of its rows'),
    until: Instant.optional().describe('End of its rows, exclusive'),
    held_out: z
      .boolean()
      .default(false)
      .describe('Only rows that the split holds back from training and validation (its part `test`)'),
    force: z.boolean().default(false).describe('Overwrite the file'),
  }),
  examples: [
    'modelgate pin evaluation/2013-04.parquet --from 2013-04-01 --until 2013-05-01',
    'modelgate pin evaluation/held-out-1.parquet --held-out',
  ],
  async run(options, project) {
    const output = path.resolve(options.output);
    const there = await access(output).then(
      () => true,
      () => false,
    );
    if (there && !options.force) {
      throw new UserError({
        code: 'usage',
        message: 'The file is there already; an evaluation set never changes under its id.',
        where: output,
        fix: 'Choose another file and id, or give --force.',
      });
    }
    const pipeline = await Pipeline.open(project);
    const window = { from: options.from ?? null, until: options.until ?? null };
    const outcome = await orStopped(async () =>
      runStage(pin, { ...(await pipeline.pinInputs(options.held_out)), ...window }, project.context),
    );
    const { sha256 } = outcome.outputs;
    if (typeof sha256 === 'string') {
      await mkdir(path.dirname(output), { recursive: true });
      await copyFile(await project.context.store.localFile(sha256), output);
      await chmod(output, 0o644); // the store's own files are read-only
    }
    return outcome;
  },
});

export const pinCommands = [pinCommand];
