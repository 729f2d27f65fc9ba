import { z } from 'zod';
import { type StageName, stageOrder } from '../../config/stage-order.ts';
import { Digest } from '../../json.ts';
import { defineCommand } from '../command.ts';
import { type Given, Pipeline } from '../pipeline.ts';
import { scanOption } from './scan-option.ts';

const digest = (what: string) =>
  Digest.optional().describe(
    `Digest of the ${what}. Left out: it is made from the configuration, or read back`,
  );

/** A command that runs the pipeline up to one stage, from a digest or from the start. */
function stageCommand(command: {
  name: StageName;
  description: string;
  input: keyof Given | null;
  what?: string;
}) {
  const gates = command.name === 'gate';
  return defineCommand({
    name: command.name,
    description: command.description,
    positional: [],
    options: z.object({
      ...(command.input === null ? {} : { [command.input]: digest(command.what ?? command.input) }),
      ...(gates ? { scan: scanOption } : {}),
    }),
    examples: [
      `modelgate ${command.name}`,
      gates ? `modelgate ${command.name} --scan scan.json --json` : `modelgate ${command.name} --json`,
    ],
    async run(options, project) {
      const given =
        command.input === null ? {} : { [command.input]: (options as Record<string, Digest>)[command.input] };
      const events = { started: (stage: StageName) => project.context.logger.info(`${stage} …`) };
      const { scan = [] } = options as { scan?: string[] };
      const pipeline = await Pipeline.open(project, given, events, gates ? scan : undefined);
      return pipeline.upTo(command.name);
    },
  });
}

const descriptions: Record<StageName, string> = {
  ingest: 'Turns the sources into immutable snapshots, named by their content.',
  validate: 'Checks the snapshots against their contracts; a batch that breaks one goes to quarantine.',
  features: 'Runs the feature SQL and proves that no feature uses what was not yet known.',
  split: 'Divides the rows into training and validation, so that no key stands in both.',
  train: 'Trains in a pinned Python environment, and admits only an ONNX model that predicts the same.',
  evaluate: 'Scores candidate and champion on the same rows of the pinned evaluation set.',
  noise: 'Retrains the recipe on bootstraps of its rows, and measures how much its metrics vary by chance.',
  gate: 'Decides by intervals whether the candidate may replace the champion: pass, fail or inconclusive.',
  register: 'Makes the judged model an immutable version of the registry.',
};
const stageInputs: Record<StageName, keyof Given | null> = {
  ingest: null,
  validate: 'dataset',
  features: 'dataset',
  split: 'features',
  train: 'split',
  evaluate: 'model',
  noise: 'model',
  gate: 'evaluation',
  register: 'gate',
};

export const pipelineCommands = stageOrder.map((name) =>
  stageCommand({ name, description: descriptions[name], input: stageInputs[name] }),
);
