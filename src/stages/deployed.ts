import { UserError } from '../errors.ts';
import type { Digest } from '../json.ts';
import { environmentOf, type ModelState } from '../registry/state.ts';

/** What an environment runs. Throws `nothing_deployed`. */
export function requireDeployed(
  state: ModelState,
  environment: string,
): { version: number; manifest: Digest } {
  const { version, manifest } = environmentOf(state, environment);
  if (version !== null && manifest !== null) return { version, manifest };
  throw nothingDeployed({ model: state.model, environment });
}

export function nothingDeployed({ model, environment }: { model: string; environment: string }): UserError {
  return new UserError({
    code: 'nothing_deployed',
    message: `No version of ${model} is in ${environment}.`,
    where: environment,
    fix: `Promote one: \`modelgate promote ${model} --to ${environment}\`.`,
  });
}
