import { environmentOf, type ModelState } from '../registry/state.ts';
import type { Checklist } from './commands/checklist.ts';
import type { ChatopsContext } from './context.ts';
import type { DeployQuestion } from './may-deploy.ts';
import { decide, personOf } from './permission.ts';
import type { ReplyRecord } from './reply-record.ts';
import { rulesFor } from './rules.ts';
import { vocabulary } from './vocabulary.ts';

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

/**
 * Whether who asked may still ask: a role that was taken away since counts. Teams were asked when the command was
 * taken; the token of a job cannot read them.
 */
export async function requesterCheck(
  list: Checklist,
  context: ChatopsContext,
  asked: Pick<ReplyRecord, 'requested_by' | 'operation'> & { model: string; environment: string },
): Promise<void> {
  const { requested_by: author, operation, model, environment } = asked;
  const override = operation?.inputs.override !== undefined;
  const values = { model, environment, ...(override ? { override: true as const } : {}) };
  const command = vocabulary[operation?.kind === 'rollback' ? 'rollback' : 'promote'].build(values);
  const person = await personOf(context, { author, authorType: 'User', viaApp: false });
  const rules = rulesFor(context, { command, subject: { model, environment } });
  const about = { command, pullAuthor: null, owner: null };
  const permit = await decide(rules, { ...person, inTeam: async () => true }, about);
  list.add({
    name: 'requester',
    ok: permit.allowed,
    detail: permit.allowed ? author : permit.message,
    fix: permit.allowed ? null : permit.fix,
    reason: permit.allowed ? 'done' : permit.reason,
  });
}
