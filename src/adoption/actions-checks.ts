import { type ActionsSetup, Unseen, type WorkflowPermissions } from '../github/repository-setup.ts';
import { missing, ok, type SetupCheck, warn } from './check.ts';
import { unseen } from './unseen.ts';
import { inWords } from './workflow-calls.ts';
import type { Workflows } from './workflow-text.ts';

type Of = Pick<SetupCheck, 'check' | 'level' | 'needed'>;
const settings = 'under Settings, Actions, General';

/** What a workflow's token may do where the workflow does not say: ours do, those beside them may not. */
export function workflowPermissionsCheck(of: Of, found: WorkflowPermissions | Unseen): SetupCheck {
  if (found instanceof Unseen)
    return unseen(of, 'what the token of a workflow may do', found, 'administration');
  const details = [
    ...(found.writes ? ['A workflow that names no permissions has a token that writes.'] : []),
    ...(found.approves
      ? [
          'A workflow may approve pull requests: whoever may push a branch can have it approve their own, past the review by code owners.',
        ]
      : []),
  ];
  const fixes = [
    ...(found.writes ? [`Choose "Read repository contents" ${settings}, Workflow permissions.`] : []),
    ...(found.approves ? [`Take "create and approve pull requests" away there.`] : []),
  ];
  return details.length === 0
    ? ok(of, 'The token of a workflow reads unless the workflow says more, and approves nothing.')
    : warn(of, details.join(' '), fixes.join(' '));
}

/** Whether GitHub lets the actions run that the workflows use. */
export function actionsCheck(
  of: Of,
  found: ActionsSetup | Unseen,
  { workflows, owner }: { workflows: Workflows; owner: string },
): SetupCheck {
  if (found instanceof Unseen) return unseen(of, 'which actions may run', found, 'administration');
  if (!found.enabled) return missing(of, 'GitHub Actions is switched off here.', `Switch it on ${settings}.`);
  const uses = [...new Set([...workflows.values()].flatMap(({ read }) => read?.uses ?? []))];
  const byTag = found.pinned ? uses.filter((one) => !/@[0-9a-f]{40}$/.test(one)) : [];
  const judged = uses.map((one) => ({ one, answer: answerOf(found, one, owner) }));
  const refused = judged.filter(({ answer }) => answer === 'refused').map(({ one }) => one);
  if (byTag.length > 0 || refused.length > 0) {
    return missing(
      of,
      [
        ...(refused.length === 0 ? [] : [`These actions may not run here: ${some(refused)}.`]),
        ...(byTag.length === 0
          ? []
          : [`Only actions pinned to a full commit SHA may run, and these are not: ${some(byTag)}.`]),
      ].join(' '),
      [
        ...(refused.length === 0 ? [] : [`Allow them ${settings}, Actions permissions.`]),
        ...(byTag.length === 0
          ? []
          : ['Write the full commit SHA of the release in place of its tag, in each workflow.']),
      ].join(' '),
    );
  }
  const verified = judged.filter(({ answer }) => answer === 'verified').map(({ one }) => one);
  if (verified.length > 0)
    return warn(
      of,
      `These run only if GitHub has verified who makes them: ${some(verified)}.`,
      `Name them ${settings}, Actions permissions, to be sure.`,
    );
  const pinned = found.pinned ? 'pinned to a full commit SHA' : 'by a tag as well';
  return ok(of, `The ${uses.length} actions that the workflows use may run, ${pinned}.`);
}

/** `verified`: it hangs on whether GitHub has verified the author, which it does not tell. */
function answerOf(
  { allowed, selected }: ActionsSetup,
  uses: string,
  owner: string,
): 'allowed' | 'refused' | 'verified' {
  const author = uses.split('/')[0]?.toLowerCase() ?? '';
  if (allowed === 'all' || author === owner.toLowerCase()) return 'allowed';
  if (selected === null) return 'refused';
  const { github, verified, patterns } = selected;
  const fits = (pattern: string) => wildcard(pattern, uses);
  if (patterns.some((one) => one.startsWith('!') && fits(one.slice(1)))) return 'refused';
  if (patterns.some((one) => !one.startsWith('!') && fits(one))) return 'allowed';
  if (github && ['actions', 'github'].includes(author)) return 'allowed';
  return verified ? 'verified' : 'refused';
}

/** `*` stands for anything; a pattern without `@` is for every version. In steps: no pattern takes long. */
function wildcard(pattern: string, uses: string): boolean {
  const text = (pattern.includes('@') ? uses : (uses.split('@')[0] ?? '')).toLowerCase();
  const parts = pattern.toLowerCase().split('*');
  const first = parts[0] ?? '';
  const last = parts.at(-1) ?? '';
  if (parts.length === 1) return text === first;
  if (!text.startsWith(first) || !text.endsWith(last) || text.length < first.length + last.length)
    return false;
  let at = first.length;
  for (const part of parts.slice(1, -1)) {
    const found = text.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return at <= text.length - last.length;
}

const some = (names: readonly string[]): string =>
  names.length <= 5 ? inWords(names) : `${names.slice(0, 5).join(', ')} and ${names.length - 5} more`;
