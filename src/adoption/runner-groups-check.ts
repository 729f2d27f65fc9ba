import { Unseen } from '../github/repository-setup.ts';
import { visible } from '../visible.ts';
import { missing, ok, type SetupCheck, warn } from './check.ts';
import type { Runners } from './runner-checks.ts';
import { unseen } from './unseen.ts';
import { inWords } from './workflow-calls.ts';

type Of = Pick<SetupCheck, 'check' | 'level' | 'needed'>;

const fix =
  'Put them into a runner group of the organisation that takes the workflows of the default branch alone which need them (docs/workflows.md, "Set up"), or let none stand ready.';

/**
 * Who can have code run on the team's own machines: a label keeps nobody out, a group that names its workflows does. In
 * a repository that everybody may read, everybody may propose a workflow that asks for such a machine.
 *
 * @param open whether everybody may read the repository
 */
export function runnerGroupsCheck(of: Of, { own, groups }: Runners, open: boolean): SetupCheck {
  const loose = [
    ...(own instanceof Unseen || own.length === 0
      ? []
      : [own.length === 1 ? 'the runner of the repository' : `the ${own.length} runners of the repository`]),
    ...(groups instanceof Unseen ? [] : groups)
      .filter(({ workflows, runners }) => workflows === null && runners.length > 0)
      .map(({ name }) => `those of the group ${visible(name)}`),
  ];
  const who = inWords(loose);
  if (loose.length > 0 && open) {
    return missing(
      { ...of, needed: true },
      `This repository is public, and any workflow may use ${who}: whoever proposes a change from a fork can have their code run on that machine, and stay there.`,
      fix,
    );
  }
  if (loose.length > 0)
    return warn(
      of,
      `On ${who} whoever may push a branch can have code run, by a workflow of that branch.`,
      fix,
    );
  if (own instanceof Unseen) return unseen(of, 'the runners of the repository', own, 'administration');
  if (groups instanceof Unseen)
    return unseen(of, 'the runner groups of the organisation', groups, 'organization');
  const guarded = groups.filter(({ runners }) => runners.length > 0).map(({ name }) => visible(name));
  return ok(
    of,
    guarded.length === 0
      ? 'No runner of your own stands ready for this repository.'
      : `Runners of your own are in ${inWords(guarded)}, for chosen workflows alone.`,
  );
}
