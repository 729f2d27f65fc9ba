import path from 'node:path';
import { z } from 'zod';
import { Instant } from '../../config/schema.ts';
import { UserError } from '../../errors.ts';
import { defaultMonitoringPolicy } from '../../monitoring/policy.ts';
import { Name } from '../../names.ts';
import { didYouMean } from '../../yaml.ts';
import { defineCommand, type Project } from '../command.ts';
import { runStage, type StageOutcome } from '../define.ts';
import { monitor } from '../monitor.ts';
import { score } from '../score.ts';
import { monitorSelfTest } from '../self-test.ts';
import { serve } from '../serve.ts';
import { trace } from '../trace.ts';
import { workflowRunsUrl } from '../workflow-runs.ts';
import { admissionOf, environmentsOf, rulesOf } from './environment.ts';
import { localFile } from './files.ts';
import { modelOf } from './registry.ts';

const model = z.string().optional().describe('The model. Left out: the one of modelgate.yaml');
const environment = Name.describe('The environment, e.g. production');

const serveCommand = defineCommand({
  name: 'serve',
  description:
    'Serves what an environment runs over the Open Inference Protocol v2, and logs every prediction.',
  positional: [],
  options: z.object({
    model,
    environment,
    port: z.number().int().min(0).max(65_535).default(8080).describe('0 takes a free one'),
    host: z.string().default('127.0.0.1').describe('Another one than loopback needs MODELGATE_SERVE_TOKEN'),
    log_directory: z.string().optional().describe('Where predictions wait until they are in the store'),
    personal: z
      .string()
      .optional()
      .describe('Inputs of which only a keyed hash is logged, separated by commas'),
  }),
  examples: ['modelgate serve --model flights-late --environment production --port 8080'],
  async run(options, project) {
    await requireKnownEnvironment(options.environment, project);
    return runStage(
      serve,
      {
        model: await modelOf(options.model, project),
        environment: options.environment,
        host: options.host,
        port: options.port,
        log_directory: options.log_directory ?? null,
        personal: options.personal?.split(',').map((name) => name.trim()) ?? [],
        trust: (await rulesOf(project, options.environment)).trust,
        admission: await admissionOf(project),
      },
      project.context,
    );
  },
});

/** A mistyped environment would wait for its first version for ever. */
async function requireKnownEnvironment(environment: string, project: Project): Promise<void> {
  const known = await environmentsOf(project);
  if (known.includes(environment)) return;
  throw new UserError({
    code: 'environment_unknown',
    message: `There is no environment ${environment}.${didYouMean(environment, known)}`,
    where: '--environment',
    fix: `Known are ${known.join(', ')}; modelgate.yaml names them.`,
  });
}

const scoreCommand = defineCommand({
  name: 'score',
  description: 'Predicts every row of a Parquet or CSV file with what an environment runs.',
  positional: [],
  options: z.object({
    model,
    environment,
    input: z.string().describe('A Parquet or CSV file with a column for each input of the model'),
    output: z.string().describe('The .parquet or .csv file to write'),
    keep: z.string().optional().describe('Columns to carry along, separated by commas'),
  }),
  examples: [
    'modelgate score --environment production --input rows.parquet --output scores.parquet --keep id',
  ],
  async run(options, project) {
    return runStage(
      score,
      {
        model: await modelOf(options.model, project),
        environment: options.environment,
        input: await localFile(options.input),
        output: path.resolve(options.output),
        keep: options.keep?.split(',').map((name) => name.trim()) ?? [],
        trust: (await rulesOf(project, options.environment)).trust,
        admission: await admissionOf(project),
      },
      project.context,
    );
  },
});

const monitorCommand = defineCommand({
  name: 'monitor',
  description:
    'Judges what was served in a window: drift, predictions, labels, service; carries out the runbook.',
  positional: [],
  options: z.object({
    model,
    environment,
    since: Instant.describe('First event time of the window'),
    until: Instant.describe('End of the window, exclusive'),
    labels: z
      .string()
      .optional()
      .describe('Parquet or CSV with the key and the label of rows that were predicted'),
    self_test: z
      .boolean()
      .default(false)
      .describe(
        'Judges the check itself, on training rows and windows of this length: `dealt` and `past` (false alarms, with 95 % interval) and `smallest` (the smallest shift found in 80 %, by column)',
      ),
  }),
  examples: [
    'modelgate monitor --environment production --since 2026-05-01 --until 2026-06-01',
    'modelgate monitor --environment production --since 2026-05-01 --until 2026-06-01 --self-test',
  ],
  async run(options, project): Promise<StageOutcome<Record<string, unknown>>> {
    const { config } = await project.config();
    if (options.self_test) {
      return runStage(
        monitorSelfTest,
        {
          model: await modelOf(options.model, project),
          environment: options.environment,
          since: options.since,
          until: options.until,
          policy: config.monitoring ?? defaultMonitoringPolicy(),
        },
        project.context,
      );
    }
    return runStage(
      monitor,
      {
        model: await modelOf(options.model, project),
        environment: options.environment,
        since: options.since,
        until: options.until,
        policy: config.monitoring ?? defaultMonitoringPolicy(),
        labels: options.labels === undefined ? null : await localFile(options.labels),
        admission: await admissionOf(project),
        validation_runs: workflowRunsUrl(process.env, {
          workflow: config.chatops.workflows.train,
          since: new Date(project.context.now().getTime() - 86_400_000),
        }),
      },
      project.context,
    );
  },
});

const traceCommand = defineCommand({
  name: 'trace',
  description:
    'From a prediction back to its model, run and data; or from a row forward to models and predictions.',
  positional: ['prediction_id'],
  options: z.object({
    prediction_id: z.string().optional().describe('A prediction id, or the correlation id of an answer'),
    row: z.string().optional().describe('The key of a row, instead of a prediction'),
    model,
    log_directory: z.string().optional().describe('As that of serve, to find the newest predictions'),
  }),
  examples: ['modelgate trace 019aa0c4-…', 'modelgate trace --row 2013-06-01-UA-1545'],
  async run(options, project) {
    return runStage(
      trace,
      {
        model: await modelOf(options.model, project),
        id: options.prediction_id ?? null,
        row: options.row ?? null,
        log_directory: options.log_directory ?? null,
      },
      project.context,
    );
  },
});

export const servingCommands = [serveCommand, scoreCommand, monitorCommand, traceCommand];
