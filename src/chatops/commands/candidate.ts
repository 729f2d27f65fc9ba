import { Digest } from '../../json.ts';
import type { Registry } from '../../registry/registry.ts';
import { newestPassed, requireVersion } from '../../registry/rules.ts';
import type { ModelState, VersionState } from '../../registry/state.ts';
import { Refusal } from './refusal.ts';

/** How far back the candidate of a commit is sought: older ones are trained again. */
const searched = 50;

/** What a version's gate says of where it belongs. */
export interface Judged {
  /**
   * The commit that was trained and judged; null where package and gate do not agree on it. The gate's is written on
   * a machine that runs nothing of the pull request.
   */
  commit: string | null;
  /** The package that it was compared with; null: there was none. Undefined: the record does not say. */
  champion: Digest | null | undefined;
}

export interface Candidate extends Judged {
  version: Readonly<VersionState>;
}

/** Throws `object_missing`, `object_damaged`. */
export async function judgedOf({ store }: Registry, version: Readonly<VersionState>): Promise<Judged> {
  const gate = await store.readManifest(version.gate, 'gate');
  const { producer } = await store.readManifest(version.manifest, 'model');
  const { commit } = gate.producer;
  return {
    commit: commit === producer.commit ? commit : null,
    champion: Digest.nullable().optional().catch(undefined).parse(gate.facts.champion),
  };
}

/** The newest version of a commit, or null. */
export async function candidateOf(
  registry: Registry,
  state: ModelState,
  sha: string,
): Promise<Candidate | null> {
  for (const version of state.versions.slice(-searched).toReversed()) {
    const judged = await judgedOf(registry, version);
    if (judged.commit === sha) return { version, ...judged };
  }
  return null;
}

/**
 * The version that is meant: by its number; on a pull request the newest of its head commit; else the newest that
 * passed. Refuses `no_candidate`.
 */
export async function chooseCandidate(
  registry: Registry,
  state: ModelState,
  given: { version: number | null; headSha: string | null },
): Promise<Candidate> {
  const { model } = state;
  if (state.seq === 0) {
    throw new Refusal('no_candidate', `${model} has no version yet.`, 'Train one with `/train`.');
  }
  if (given.version === null && given.headSha !== null) {
    const found = await candidateOf(registry, state, given.headSha);
    if (found !== null) return found;
    throw new Refusal(
      'no_candidate',
      `No version of ${model} was trained at the head commit, ${given.headSha.slice(0, 12)}.`,
      'Train it with `/train`; results of an earlier commit do not count for this one.',
    );
  }
  const version = given.version === null ? passed(state) : requireVersion(state, given.version);
  return { version, ...(await judgedOf(registry, version)) };
}

function passed(state: ModelState): Readonly<VersionState> {
  try {
    return newestPassed(state);
  } catch {
    throw new Refusal(
      'no_candidate',
      `No version of ${state.model} has passed its gate.`,
      'Train a candidate that passes, or name a version.',
    );
  }
}
