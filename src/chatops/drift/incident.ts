import type { GitHub, Issue } from '../../github/port.ts';
import type { Markdown } from '../../report/markdown.ts';
import { issuesOf, keepOldest, type NewIssue, openOnce, sayOnce } from './issues.ts';

/** Something that goes on until it is heard to be over: a silent schedule, a workflow that fails. */
export type Incident = NewIssue;

const over = '<!-- modelgate:over -->';

/** Opens the issue of an incident, or brings it up to date. One that a person has closed stays closed until it is over. */
export async function raiseIncident(github: GitHub, incident: Incident): Promise<void> {
  const going = (await issuesOf(github, incident)).filter(({ body }) => !body.includes(over));
  if (going.filter(isOpen).length > 1) await keepOldest(github, incident);
  const current = going.findLast(isOpen) ?? going[0];
  if (current === undefined) {
    await openOnce(github, incident);
    return;
  }
  const { title, body } = incident;
  if (!isOpen(current) || (current.title === title && current.body === body)) return;
  await github.updateIssue(current.number, { title, body });
}

/** Closes the issue of an incident that is over, with a word. */
export async function endIncident(
  github: GitHub,
  incident: Pick<Incident, 'marker' | 'label'>,
  note: { name: string; body: Markdown },
): Promise<void> {
  for (const issue of await issuesOf(github, incident)) {
    if (issue.body.includes(over)) {
      if (!isOpen(issue)) continue;
    } else if (isOpen(issue)) await sayOnce(github, issue, note);
    const body = issue.body.includes(over) ? issue.body : `${issue.body}\n\n${over}`;
    await github.updateIssue(issue.number, { body, state: 'closed' });
  }
}

const isOpen = ({ state }: Issue): boolean => state === 'open';
