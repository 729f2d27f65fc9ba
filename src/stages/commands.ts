import { stageOrder } from '../config/stage-order.ts';
import type { Command } from './command.ts';

/** Commands whose code is loaded together, when the first of them is called: an action loads no other stage. */
interface Group {
  names: readonly string[];
  load(): Promise<readonly Command[]>;
}

/** Everything that `modelgate NAME` and `actions/NAME` can call, in the order of the help. */
const groups: readonly Group[] = [
  {
    names: ['init', 'doctor'],
    load: async () => (await import('./commands/adoption.ts')).adoptionCommands,
  },
  { names: ['models'], load: async () => (await import('./commands/models.ts')).modelsCommands },
  { names: ['run'], load: async () => (await import('./commands/run.ts')).runCommands },
  {
    names: stageOrder,
    load: async () => (await import('./commands/pipeline.ts')).pipelineCommands,
  },
  { names: ['scan'], load: async () => (await import('./commands/scanning.ts')).scanningCommands },
  {
    names: ['reproduce'],
    load: async () => (await import('./commands/training.ts')).trainingCommands,
  },
  { names: ['check', 'profile'], load: async () => (await import('./commands/data.ts')).dataCommands },
  { names: ['compare'], load: async () => (await import('./commands/compare.ts')).compareCommands },
  { names: ['leakage'], load: async () => (await import('./commands/leakage.ts')).leakageCommands },
  { names: ['drift'], load: async () => (await import('./commands/drift.ts')).driftCommands },
  { names: ['pin'], load: async () => (await import('./commands/pin.ts')).pinCommands },
  {
    names: ['promote', 'rollback', 'lock', 'unlock', 'retire'],
    load: async () => (await import('./commands/environment.ts')).environmentCommands,
  },
  {
    names: ['request', 'approve'],
    load: async () => (await import('./commands/approval.ts')).approvalCommands,
  },
  {
    names: ['status', 'history', 'diff', 'registry verify', 'registry probe'],
    load: async () => (await import('./commands/registry.ts')).registryCommands,
  },
  {
    names: ['registry gc', 'registry reconcile', 'registry export', 'registry import'],
    load: async () => (await import('./commands/registry-care.ts')).registryCareCommands,
  },
  {
    names: ['sign', 'attest', 'verify-signature'],
    load: async () => (await import('./commands/signing.ts')).signingCommands,
  },
  {
    names: ['serve', 'score', 'monitor', 'trace'],
    load: async () => (await import('./commands/serving.ts')).servingCommands,
  },
  { names: ['poll'], load: async () => (await import('./commands/polling.ts')).pollingCommands },
  { names: ['metrics'], load: async () => (await import('./commands/metrics.ts')).metricsCommands },
  { names: ['site'], load: async () => (await import('./commands/site.ts')).siteCommands },
  { names: ['bot'], load: async () => (await import('./commands/bot.ts')).botCommands },
];

export const commandNames: readonly string[] = groups.flatMap(({ names }) => names);

/** The command of a name; undefined where there is none. */
export async function loadCommand(name: string): Promise<Command | undefined> {
  const group = groups.find(({ names }) => names.includes(name));
  return (await group?.load())?.find((command) => command.name === name);
}

/** All commands, for help and generated pages. */
export async function loadCommands(): Promise<readonly Command[]> {
  return (await Promise.all(groups.map(({ load }) => load()))).flat();
}
