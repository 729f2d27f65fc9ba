import { type CheckRun, type GitHub, GitHubUnavailable, type WorkflowRun } from '../../github/port.ts';
import { serially } from '../serially.ts';
import type { Judged } from './judged.ts';

/** GitHub refuses longer ones; in UTF-16 units, with room. */
export const longestSummary = 60_000;

/** The check that a branch rule may require: it is green only by the verdict of a version in the registry. */
export const gateCheck = (model: string): Pick<CheckRun, 'name' | 'externalId'> => ({
  name: `modelgate/gate (${model})`,
  externalId: `gate/${model}`,
});

/**
 * Advice from the pull request's own run: never green. One for each attempt, since GitHub takes no annotation back; it
 * shows the newest of a name. Null: for models that the default branch does not know.
 */
export const sampleCheck = (
  model: string | null,
  { id, attempt }: Pick<WorkflowRun, 'id' | 'attempt'>,
): Pick<CheckRun, 'name' | 'externalId'> => ({
  name: model === null ? 'modelgate/sample' : `modelgate/sample (${model})`,
  externalId: `sample/${model ?? ''}/${id}.${attempt}`,
});

/** Writes the one check run of a name on a commit: what is there is changed, whichever try of ours made it. */
export async function putCheck(github: GitHub, check: CheckRun): Promise<void> {
  const { owner, repo } = github.repository;
  const sought = { sha: check.headSha, name: check.name, externalId: check.externalId };
  await serially(`check ${owner}/${repo} ${check.headSha} ${check.name}`, async () => {
    const found = await github.checkRun(sought);
    if (found !== null) return github.updateCheckRun(found.id, check);
    try {
      await github.createCheckRun(check);
    } catch (error) {
      if (!(error instanceof GitHubUnavailable && error.ambiguous)) throw error;
      // made, though no answer came: there is nothing left to do
      if ((await github.checkRun(sought)) === null) throw error;
    }
  });
}

/**
 * What a verdict means for a rule that requires the check. GitHub lets neutral pass, so it stands only where the
 * policy lets an undecided candidate go on.
 */
export function conclusionOf({ version }: Pick<Judged, 'version'>): CheckRun['conclusion'] {
  if (version.verdict === 'pass') return 'success';
  if (version.verdict === 'fail') return 'failure';
  return version.on_inconclusive === 'pass' ? 'neutral' : 'action_required';
}
