import type { EnvironmentSetup } from '../github/repository-setup.ts';
import { visible } from '../visible.ts';
import { missing, ok, type SetupCheck } from './check.ts';
import { inWords } from './workflow-calls.ts';

/**
 * Whether the environments with a role are there, and no branch but a chosen one enters them. Whoever may push a
 * branch writes the workflow on it, so an open environment gives its role to all who may write.
 *
 * @param wanted what configuration and workflows name
 */
export function environmentCheck(
  of: Pick<SetupCheck, 'check' | 'level' | 'needed'>,
  { found, wanted }: { found: readonly EnvironmentSetup[]; wanted: readonly string[] },
): SetupCheck {
  const named = (name: string) => found.find((one) => same(one.name, name));
  const lacking = wanted.filter((name) => named(name) === undefined);
  const open = wanted.filter((name) => named(name)?.branches === false);
  if (lacking.length === 0 && open.length === 0)
    return ok(of, `${told(wanted)} are there, for chosen branches alone.`);
  const details = [
    ...(lacking.length === 0 ? [] : [`Not on GitHub: ${told(lacking)}.`]),
    ...(open.length === 0
      ? []
      : [`Any branch enters ${told(open)}: whoever may push one takes the role by a workflow of their own.`]),
  ];
  const fixes = [
    ...(lacking.length === 0
      ? []
      : [
          'Make what lacks under Settings, Environments, each with its variable MODELGATE_ROLE (docs/workflows.md), or take out the workflow that names it.',
        ]),
    'Under "Deployment branches and tags" of each choose "Selected branches and tags", and the default branch alone.',
  ];
  return missing(of, details.join(' '), fixes.join(' '));
}

const told = (names: readonly string[]): string => inWords(names.map(visible));

/** GitHub knows an environment by its name in any case. */
const same = (one: string, other: string): boolean => one.toLowerCase() === other.toLowerCase();
