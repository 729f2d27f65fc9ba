import { type GitHub, GitHubUnavailable, type Issue } from '../../github/port.ts';
import type { Markdown } from '../../report/markdown.ts';

/** So many issues of a label are looked through. */
const sought = 1000;

export interface Kept {
  /** Alone finds nothing of others: it must stand in the first line of what our app wrote. */
  marker: string;
  label: string;
}
export interface NewIssue extends Kept {
  title: string;
  /** Begins with the marker. */
  body: Markdown;
}

/** Our issues with a marker, open and closed, the newest first. */
export async function issuesOf(github: GitHub, { marker, label }: Kept): Promise<Issue[]> {
  const found: Issue[] = [];
  let seen = 0;
  for await (const issue of github.issues({ labels: [label], state: 'all' })) {
    if (issue.ours && issue.body.startsWith(marker)) found.push(issue);
    seen += 1;
    if (seen >= sought) break;
  }
  return found.sort((a, b) => b.number - a.number);
}

/**
 * Opens an issue of which there must be one. Found first, and again when the answer was lost; where another bot opened
 * one at the same time, the oldest stays and is given back. Throws GitHubUnavailable where it is not known whether it
 * was opened: done again, it is found.
 */
export async function openOnce(github: GitHub, wanted: NewIssue): Promise<Issue> {
  const before = await keepOldest(github, wanted);
  if (before !== null) return before;
  const { title, body, label } = wanted;
  let made: Issue | null = null;
  try {
    made = await github.createIssue({ title, body, labels: [label] });
  } catch (error) {
    if (!(error instanceof GitHubUnavailable && error.ambiguous)) throw error;
    const found = await keepOldest(github, wanted);
    if (found === null) throw error;
    return found;
  }
  // a list may not show yet what was just made
  return (await keepOldest(github, wanted, made)) ?? made;
}

/** The oldest open issue with the marker; younger ones are closed as its duplicates. */
export async function keepOldest(
  github: GitHub,
  kept: Kept,
  made: Issue | null = null,
): Promise<Issue | null> {
  const listed = (await issuesOf(github, kept)).filter(({ state }) => state === 'open');
  const all =
    made === null || listed.some(({ number }) => number === made.number) ? listed : [made, ...listed];
  const [oldest, ...younger] = all.sort((a, b) => a.number - b.number);
  if (oldest === undefined) return null;
  for (const { number } of younger) {
    // without its marker nobody takes it for the alarm any more
    const body = `<!-- modelgate:duplicate -->\n\nThis is the same as #${oldest.number}, which was opened at the same time.`;
    await github.updateIssue(number, { state: 'closed', body });
  }
  return oldest;
}

/** Says something in an issue once: `name` tells it from everything else that is said there. */
export async function sayOnce(
  github: GitHub,
  { number }: Pick<Issue, 'number'>,
  { name, body }: { name: string; body: Markdown },
): Promise<void> {
  const marker = `<!-- modelgate:note ${name} -->`;
  if (await wasSaid(github, number, marker)) return;
  try {
    await github.createComment(number, `${marker}\n\n${body}`);
  } catch (error) {
    if (!(error instanceof GitHubUnavailable && error.ambiguous)) throw error;
    if (!(await wasSaid(github, number, marker))) throw error;
  }
}

async function wasSaid(github: GitHub, number: number, marker: string): Promise<boolean> {
  for await (const comment of github.comments(number)) {
    if (comment.ours && comment.body.startsWith(marker)) return true;
  }
  return false;
}
