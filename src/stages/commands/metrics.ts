import path from 'node:path';
import { z } from 'zod';
import { defineCommand } from '../command.ts';
import { runStage } from '../define.ts';
import { metrics } from '../metrics.ts';

const metricsCommand = defineCommand({
  name: 'metrics',
  description:
    'Writes how validations, gates, registrations, promotions and rollbacks ended, of all models in the store, as metrics.',
  positional: [],
  options: z.object({
    output: z.string().describe('The file to write; it is replaced whole'),
    format: z
      .enum(['openmetrics', 'prometheus'])
      .default('openmetrics')
      .describe('OpenMetrics 1.0, or the older text format that node-exporter and Pushgateway read'),
  }),
  examples: [
    'modelgate metrics --output metrics.txt',
    'modelgate metrics --output /var/lib/node_exporter/modelgate.prom --format prometheus',
  ],
  async run({ output, format }, project) {
    return runStage(metrics, { output: path.resolve(output), format }, project.context);
  },
});

export const metricsCommands = [metricsCommand];
