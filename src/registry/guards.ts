import { UserError } from '../errors.ts';
import type { Digest } from '../json.ts';
import type { Actor } from './entries.ts';
import {
  type EnvironmentState,
  environmentOf,
  type Lock,
  type ModelState,
  type VersionState,
} from './state.ts';

/** Who went past an undecided gate, and why. */
export interface Override {
  by: string;
  reason: string;
}

/** Throws `model_unknown` for an empty log. */
export function requireModel(state: ModelState): void {
  if (state.seq > 0) return;
  throw new UserError({
    code: 'model_unknown',
    message: `The registry has no model ${state.model}.`,
    where: 'registry',
    fix: 'Check the name, or register its first version with `modelgate register`.',
  });
}

/** Throws `version_unknown`. */
export function requireVersion(state: ModelState, version: number): Readonly<VersionState> {
  requireModel(state);
  const found = state.versions[version - 1];
  if (found !== undefined) return found;
  throw new UserError({
    code: 'version_unknown',
    message: `${state.model} has no version ${version}; its newest is ${state.versions.length}.`,
    where: `${state.model}@${version}`,
    fix: 'See `modelgate history` for the versions.',
  });
}

/** Throws `environment_unknown` for a name that the configuration does not hold. */
export function requireEnvironment(name: string, environments: readonly string[]): void {
  if (environments.includes(name)) return;
  throw new UserError({
    code: 'environment_unknown',
    message: `There is no environment ${JSON.stringify(name)}; there are: ${environments.join(', ') || 'none'}.`,
    where: 'environments',
    fix: 'Name one of these, or add it to modelgate.yaml.',
  });
}

/** Whether the lock still holds at this moment. */
export function lockHolds(lock: Lock | null, now: Date): lock is Lock {
  return lock !== null && (lock.until === null || Date.parse(lock.until) > now.getTime());
}

/** Throws `locked` when somebody else holds the environment. */
export function guardLock(target: Readonly<EnvironmentState>, actor: Actor, now: Date): void {
  if (!lockHolds(target.lock, now) || target.lock.owner === actor.name) return;
  const { owner, reason, until } = target.lock;
  throw new UserError({
    code: 'locked',
    message: `${target.name} is locked by ${owner}${until === null ? '' : ` until ${until}`}${reason === null ? '' : `: ${reason}`}.`,
    where: target.name,
    fix: `Ask ${owner} to unlock it, or wait.`,
  });
}

export function guardGeneration(target: Readonly<EnvironmentState>, expected: number | null): void {
  if (expected === null || expected === target.generation) return;
  throw new UserError({
    code: 'generation_moved',
    message: `${target.name} is at generation ${target.generation}, not ${expected}.`,
    where: target.name,
    fix: `See \`modelgate status\` for what runs there now, and try again with --expected-generation ${target.generation}.`,
  });
}

type Versions = Pick<ModelState, 'versions'>;

/** The version under which a package was retired: it is out of use under every other number too. */
export function retiredAs({ versions }: Versions, manifest: Digest): Readonly<VersionState> | null {
  return versions.find((each) => each.retired !== null && each.manifest === manifest) ?? null;
}

/** The version under which a package was rolled back from an environment: it stays out under any number. */
export function frozenAs(
  { versions }: Versions,
  manifest: Digest,
  { frozen }: Readonly<EnvironmentState>,
): number | null {
  return frozen.find((version) => versions[version - 1]?.manifest === manifest) ?? null;
}

export function guardRetired(state: ModelState, { version, manifest }: Readonly<VersionState>): void {
  const found = retiredAs(state, manifest);
  if (found === null) return;
  throw new UserError({
    code: 'retired',
    message: `${state.model}@${version} ${samePackage(state, version, found.version)}was retired at ${found.retired}.`,
    where: `${state.model}@${version}`,
    fix: 'Choose another package: retiring is for good, under whichever version number.',
  });
}

const samePackage = ({ model }: ModelState, version: number, held: number) =>
  held === version ? '' : `is the package of ${model}@${held}, which `;

/**
 * No path takes a model that failed. Past `inconclusive` goes what the policy lets pass, what it leaves to an
 * approval once another person gave it, and an override by a permitted person.
 */
export function guardVerdict(
  state: ModelState,
  to: Readonly<VersionState>,
  request: { override: Override | null; overriders?: readonly string[] | null; environment: string },
): void {
  if (!needsOverride(to, environmentOf(state, request.environment))) return;
  const failed = to.verdict === 'fail';
  if (!failed && request.override !== null) {
    guardOverride(request.override, request);
    return;
  }
  throw new UserError({
    code: 'not_passed',
    message: `${state.model}@${to.version} ${failed ? 'failed its gate' : 'has an undecided gate'}.`,
    where: `${state.model}@${to.version}`,
    fix: failed
      ? 'Train a candidate that passes: a version that failed is never promoted, with an override neither.'
      : to.on_inconclusive === 'approve'
        ? `The policy leaves it to a person: \`modelgate request ${state.model}@${to.version} --to ${request.environment}\`, and another person's \`modelgate approve\`; or evaluate on more rows.`
        : "Evaluate on more rows, or have a permitted person override with a reason: the gate's report says how many rows decide.",
  });
}

/** Whether only an override takes this version there. */
export function needsOverride(to: Readonly<VersionState>, target: Readonly<EnvironmentState>): boolean {
  if (to.verdict === 'pass') return false;
  if (to.verdict === 'fail' || to.on_inconclusive === 'block') return true;
  if (to.on_inconclusive === 'pass') return false;
  return !target.requests.some(({ version, approved }) => version === to.version && approved !== null);
}

/** Throws `override_refused` for a person who may not, and for an override without a reason. */
function guardOverride(
  { by, reason }: Override,
  { overriders = null, environment }: { overriders?: readonly string[] | null; environment: string },
): void {
  const permitted = overriders === null || overriders.some((one) => one.toLowerCase() === by.toLowerCase());
  if (permitted && reason.trim() !== '') return;
  throw new UserError({
    code: 'override_refused',
    message: permitted
      ? 'An override needs a reason.'
      : `${by} may not promote past an undecided gate to ${environment}.`,
    where: { key: 'environments' },
    fix: permitted
      ? 'Say why in one sentence: it is kept in the log.'
      : `These may: ${overriders?.join(', ') || 'nobody'}. They stand in override of the environment, in a reviewed change.`,
  });
}

export function guardFrozen(
  state: ModelState,
  { version, manifest }: Readonly<VersionState>,
  target: Readonly<EnvironmentState>,
): void {
  const held = frozenAs(state, manifest, target);
  if (held === null) return;
  throw new UserError({
    code: 'frozen',
    message: `${state.model}@${version} ${samePackage(state, version, held)}was rolled back from ${target.name}.`,
    where: `${state.model}@${version}`,
    fix: `Register a better version; if the rollback was a mistake: \`modelgate rollback ${state.model} --in ${target.name} --to ${held}\`.`,
  });
}

export const isBlank = (reason: string | null | undefined): boolean => (reason ?? '').trim() === '';

/** Throws `usage` for a rollback that keeps nothing out and does not say why. */
export function guardFreeze({ freeze = true, reason }: { freeze?: boolean; reason?: string | null }): void {
  if (freeze || !isBlank(reason)) return;
  throw new UserError({
    code: 'usage',
    message: 'A rollback that lets what it leaves be promoted again needs a reason.',
    where: '--no-freeze',
    fix: 'Say with --reason why the version is not at fault, or leave --no-freeze out.',
  });
}

/** The same package, by digest, must serve or have served in the environment before this one. */
export function guardOrder(
  state: ModelState,
  to: Readonly<VersionState>,
  request: { environment: string; environments: readonly string[] },
): void {
  const before = request.environments[request.environments.indexOf(request.environment) - 1];
  if (before === undefined) return;
  const earlier = environmentOf(state, before);
  guardFrozen(state, to, earlier);
  if (earlier.served.some(({ manifest }) => manifest === to.manifest)) return;
  throw new UserError({
    code: 'order',
    message: `${state.model}@${to.version} has not been in ${before}, which comes before ${request.environment}.`,
    where: `${state.model}@${to.version}`,
    fix: `First run \`modelgate promote ${state.model}@${to.version} --to ${before}\`.`,
  });
}
