import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { UserError } from '../../errors.ts';
import { Name } from '../../names.ts';
import { approve, request } from '../approvals.ts';
import { defineCommand, type Project } from '../command.ts';
import { runStage } from '../define.ts';
import { environmentsOf, parseModel, rulesOf } from './environment.ts';

const options = z.object({
  model: z.string().describe('MODEL@VERSION'),
  to: Name.describe('The environment'),
  reason: z.string().max(1000).optional().describe('Why, for the log'),
  op_id: z
    .string()
    .max(128)
    .optional()
    .describe('Names this operation, so that repeating it is safe. Left out: a new one'),
});

/** `MODEL@VERSION`, where it must be one version. */
export function versionOf(text: string): { model: string; version: number } {
  const { model, version } = parseModel(text);
  if (version !== null) return { model, version };
  throw new UserError({
    code: 'usage',
    message: 'A version is needed.',
    fix: `Give MODEL@VERSION, e.g. ${model}@1.`,
  });
}

/** The promotion that is asked for or approved. */
async function promotionOf(given: z.infer<typeof options>, project: Project) {
  return {
    ...versionOf(given.model),
    environment: given.to,
    environments: await environmentsOf(project),
    op_id: given.op_id ?? randomUUID(),
    reason: given.reason ?? null,
  };
}

const requestCommand = defineCommand({
  name: 'request',
  description: 'Asks for the promotion of a version; another person approves it.',
  positional: ['model'],
  options,
  examples: ['modelgate request flights-late@2 --to production --reason "better in winter"'],
  async run(given, project) {
    return runStage(request, await promotionOf(given, project), project.context);
  },
});

const approveCommand = defineCommand({
  name: 'approve',
  description: 'Approves the promotion that another person asked for.',
  positional: ['model'],
  options,
  examples: ['modelgate approve flights-late@2 --to production'],
  async run(given, project) {
    return runStage(
      approve,
      {
        ...(await promotionOf(given, project)),
        approvers: (await rulesOf(project, given.to)).approvers,
      },
      project.context,
    );
  },
});

export const approvalCommands = [requestCommand, approveCommand];
