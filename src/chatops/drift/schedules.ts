import type { ChatopsPolicy } from '../policy.ts';

const hour = 3_600_000;

/** A workflow that must be heard of. */
export interface Schedule {
  /** As the policy calls it. */
  name: string;
  /** File name under .github/workflows. */
  workflow: string;
  /** Milliseconds between two runs at most. */
  every: number;
}

/** `heartbeats` of the policy: by the name of one of our workflows, or else of a file without its ending. */
export function schedulesOf({
  heartbeats,
  workflows,
}: Pick<ChatopsPolicy, 'heartbeats' | 'workflows'>): Schedule[] {
  const files: Readonly<Record<string, string>> = workflows;
  return Object.entries(heartbeats).map(([name, allowed]) => {
    const [, count = '0', unit] = /^(\d+)(h|d)$/.exec(allowed) ?? [];
    const workflow = Object.hasOwn(files, name)
      ? (files[name] ?? name)
      : /\.ya?ml$/.test(name)
        ? name
        : `${name}.yml`;
    return { name, workflow, every: Number(count) * (unit === 'd' ? 24 : 1) * hour };
  });
}
