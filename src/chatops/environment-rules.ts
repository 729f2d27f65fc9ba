import type { ChatopsContext, ConfiguredModel } from './context.ts';

/** What a move to one environment asks for, from the configuration and the policy of the default branch. */
export interface EnvironmentRules {
  name: string;
  /** All environments, in the order in which a version walks through them. */
  environments: readonly string[];
  /** The last one is what people use: it is never meant by default. */
  last: boolean;
  /** Approving reviews of the head commit that are needed. Left out: one for the last environment. */
  reviews: number;
  /** Whether --confirm is asked for. Left out: in the last environment. */
  confirm: boolean;
  approval: boolean;
  approvers: readonly string[] | null;
  overriders: readonly string[];
}

/** Null for a name that the configuration does not hold. */
export function environmentRules(
  { policy }: Pick<ChatopsContext, 'policy'>,
  { config }: Pick<ConfiguredModel, 'config'>,
  name: string,
): EnvironmentRules | null {
  const found = config.environments.find((one) => one.name === name);
  if (found === undefined) return null;
  const environments = config.environments.map((one) => one.name);
  const last = environments.at(-1) === name;
  // names come from people: no look at what an object inherits
  const own = Object.hasOwn(policy.environments, name) ? policy.environments[name] : undefined;
  return {
    name,
    environments,
    last,
    reviews: own?.reviews ?? (last ? 1 : 0),
    confirm: own?.confirm ?? last,
    approval: found.approval,
    approvers: found.approvers ?? null,
    overriders: found.override ?? [],
  };
}
