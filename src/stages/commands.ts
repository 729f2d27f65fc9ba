import type { Command } from './command.ts';
import { approvalCommands } from './commands/approval.ts';
import { botCommands } from './commands/bot.ts';
import { dataCommands } from './commands/data.ts';
import { environmentCommands } from './commands/environment.ts';
import { pipelineCommands } from './commands/pipeline.ts';
import { registryCommands } from './commands/registry.ts';
import { registryCareCommands } from './commands/registry-care.ts';
import { servingCommands } from './commands/serving.ts';
import { signingCommands } from './commands/signing.ts';
import { trainingCommands } from './commands/training.ts';

/** Everything that `modelgate NAME` and `actions/NAME` can call. */
export const commands: readonly Command[] = [
  ...pipelineCommands,
  ...trainingCommands,
  ...dataCommands,
  ...environmentCommands,
  ...approvalCommands,
  ...registryCommands,
  ...registryCareCommands,
  ...signingCommands,
  ...servingCommands,
  ...botCommands,
];
