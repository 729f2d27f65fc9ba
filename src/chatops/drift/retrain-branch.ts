import { createHash } from 'node:crypto';
import { UserError } from '../../errors.ts';
import { GitHubUnavailable } from '../../github/port.ts';
import type { ChatopsContext } from '../context.ts';
import type { Change } from './retrain-change.ts';

/** So many names are tried: whoever may push can take some of them, and is told about beyond that. */
const mostNames = 10;

interface Wanted {
  name: string;
  message: string;
  files: readonly Change[];
}

/**
 * A branch with one commit beyond the default branch that writes these files, and that commit. The name can be foreseen
 * by whoever may push, and what is trained of it runs on the team's machines: a branch that is there is taken only where
 * it holds exactly that, whoever made it; else the next name is tried. Throws GitHubUnavailable, and `github_refused`
 * where all names are taken.
 */
export async function proposedBranch(
  context: ChatopsContext,
  { name, message, files }: Wanted,
): Promise<{ branch: string; head: string }> {
  const { github, base } = context;
  for (let number = 1; number <= mostNames; number++) {
    const branch = number === 1 ? name : `${name}-${number}`;
    if ((await github.branchHead(branch)) === null)
      await github.createBranch({ name: branch, from: base.sha, message, files });
    const head = await github.branchHead(branch);
    if (head === null) {
      throw new GitHubUnavailable('A branch that was just made is not shown yet.', {
        retryAfterSeconds: 10,
        ambiguous: false,
      });
    }
    if (await holds(context, { head, files })) return { branch, head };
    context.logger.warn(
      `the branch ${branch} was made by somebody else, or was pushed to: it is not trained`,
    );
  }
  throw new UserError({
    code: 'github_refused',
    message: `Branches ${name} to ${name}-${mostNames} hold something else than the proposed training.`,
    where: name,
    fix: 'Look who made them, and delete them.',
  });
}

/** Whether a commit adds to the default branch these files alone. The branch may have moved on since. */
async function holds(
  { github, base }: ChatopsContext,
  { head, files }: { head: string; files: readonly Change[] },
): Promise<boolean> {
  const found = await github.compare({ base: base.sha, head });
  if (found === null || found.ahead !== 1 || found.files.length !== files.length) return false;
  const blobs = new Map(found.files.map(({ path, blob }) => [path, blob]));
  return files.every(({ path, content }) => blobs.get(path) === blobName(content));
}

/** As git names a file's content. */
function blobName(content: string): string {
  const bytes = Buffer.from(content);
  return createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex');
}
