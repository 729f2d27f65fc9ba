import { environmentOf, type ModelState } from '../registry/state.ts';
import type { Checklist } from './commands/checklist.ts';
import type { ChatopsContext } from './context.ts';
import type { DeployQuestion } from './may-deploy.ts';

/** What the run says of itself, as far as it does. */
export function claimsCheck(
  list: Checklist,
  { claims = {} }: DeployQuestion,
  wanted: Required<NonNullable<DeployQuestion['claims']>>,
): void {
  const differing = (['model', 'version', 'digest', 'generation'] as const).filter(
    (name) => claims[name] !== undefined && claims[name] !== wanted[name],
  );
  list.add({
    name: 'what was accepted',
    ok: differing.length === 0,
    detail:
      differing.length === 0 ? 'the same' : `The run has another ${differing.join(', ')} than the command.`,
    fix: 'Give the command again.',
    reason: 'digest_mismatch',
  });
}

/** Nothing has moved since the command was accepted. */
export function generationCheck(
  list: Checklist,
  state: ModelState,
  { environment, generation }: { environment: string; generation: number },
): void {
  const now = environmentOf(state, environment).generation;
  list.add({
    name: 'generation',
    ok: now === generation,
    detail:
      now === generation ? `still ${now}` : `${environment} has moved since: ${now}, not ${generation}.`,
    fix: 'Look at `/status`, and give the command again.',
    reason: 'champion_moved',
  });
}

/** A push after the command makes its result one of an earlier commit. */
export async function headCheck(
  list: Checklist,
  { github }: ChatopsContext,
  { number, commit }: { number: number; commit: string | null },
): Promise<void> {
  const pull = await github.pullRequest(number);
  if (pull === null) return; // asked for in an issue
  const same = pull.headSha === commit;
  list.add({
    name: 'head commit',
    ok: same && (pull.state === 'open' || pull.merged),
    detail: same
      ? pull.state === 'open' || pull.merged
        ? 'unchanged'
        : 'The pull request is closed.'
      : 'It has moved.',
    fix: 'Train the head with `/train`, then give the command again.',
    reason: same ? 'not_open' : 'head_moved',
  });
}
