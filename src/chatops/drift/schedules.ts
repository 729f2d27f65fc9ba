import { milliseconds } from '../duration.ts';
import type { ChatopsPolicy } from '../policy.ts';

/** A workflow that must be heard of. */
export interface Schedule {
  /** As the policy calls it. */
  name: string;
  /** File name under .github/workflows. */
  workflow: string;
  /** Milliseconds between two runs at most. */
  every: number;
}

/** A workflow whose runs have a limit of time. */
export interface ExpectedDuration extends Omit<Schedule, 'every'> {
  /** Milliseconds from a run's start to its end at most. */
  allowed: number;
}

/** `heartbeats` of the policy: by the name of one of our workflows, or else of a file without its ending. */
export function schedulesOf({
  heartbeats,
  workflows,
}: Pick<ChatopsPolicy, 'heartbeats' | 'workflows'>): Schedule[] {
  return Object.entries(heartbeats).map(([name, allowed]) => ({
    ...{ name, workflow: fileOf(name, workflows), every: milliseconds(allowed) },
  }));
}

/** `durations` of the policy, by the same names. */
export function expectedDurationsOf({
  durations,
  workflows,
}: Pick<ChatopsPolicy, 'durations' | 'workflows'>): ExpectedDuration[] {
  return Object.entries(durations).map(([name, allowed]) => ({
    ...{ name, workflow: fileOf(name, workflows), allowed: milliseconds(allowed) },
  }));
}

function fileOf(name: string, workflows: ChatopsPolicy['workflows']): string {
  const files: Readonly<Record<string, string>> = workflows;
  if (Object.hasOwn(files, name)) return files[name] ?? name;
  return /\.ya?ml$/.test(name) ? name : `${name}.yml`;
}
