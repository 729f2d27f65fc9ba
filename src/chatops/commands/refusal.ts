import type { Code } from '../../codes.ts';
import { UserError } from '../../errors.ts';
import { GitHubUnavailable } from '../../github/port.ts';
import { inChat } from '../chat-words.ts';
import type { CommandResult, ReasonCode } from '../context.ts';

/** A command that is not carried out: why, in one sentence, and what to do about it. */
export class Refusal extends Error {
  readonly reason: ReasonCode;
  readonly fix: string | null;

  constructor(reason: ReasonCode, message: string, fix: string | null = null) {
    super(message);
    this.name = 'Refusal';
    this.reason = reason;
    this.fix = fix;
  }
}

const reasons: Partial<Record<Code, ReasonCode>> = {
  usage: 'usage',
  model_unknown: 'unknown_model',
  version_unknown: 'no_candidate',
  environment_unknown: 'unknown_environment',
  generation_moved: 'champion_moved',
  digest_mismatch: 'digest_mismatch',
  retired: 'retired',
  not_passed: 'gate_failed',
  override_refused: 'not_permitted',
  not_owner: 'not_permitted',
  frozen: 'frozen',
  order: 'order',
  locked: 'locked',
  approval_needed: 'approval_needed',
  approval_refused: 'not_permitted',
  no_previous: 'no_previous',
  nothing_deployed: 'no_previous',
  object_missing: 'package_damaged',
  object_damaged: 'package_damaged',
  storage_unsuitable: 'unavailable',
  log_damaged: 'unavailable',
  config_invalid: 'unavailable',
  config_missing: 'unavailable',
};

/** Of what may be over in a moment: a store that does not answer, others who write at the same time. */
const passing: readonly Code[] = ['storage_unavailable', 'lost_race', 'sweeping'];

/** What the registry or the store refuses, in the words of chat; null for what is no refusal. */
export function refusalOf(error: unknown): Refusal | null {
  if (error instanceof Refusal) return error;
  if (!(error instanceof UserError) || isPassing(error)) return null;
  const github = error.code.startsWith('github_');
  const fix = inChat(error);
  return new Refusal(reasons[error.code] ?? (github ? 'unavailable' : 'internal'), error.message, fix);
}

/** Whether trying the same job again later may help: it is not answered, but thrown to whoever runs the jobs. */
export function isPassing(error: unknown): boolean {
  if (error instanceof GitHubUnavailable) return true;
  return error instanceof UserError && passing.includes(error.code);
}

/** The end of a command that was refused before or after its checks. */
export function refused(
  { reason, message, fix }: Refusal,
  checks: CommandResult['checks'] = [],
): CommandResult {
  return {
    decision: 'refused',
    reason,
    summary: fix === null ? message : `${message} ${fix}`,
    checks,
    operation: null,
    details: null,
  };
}

/** The end of a command that did what was asked at once. */
export function done(
  summary: string,
  more: Partial<Pick<CommandResult, 'reason' | 'checks' | 'details' | 'operation'>> = {},
): CommandResult {
  return { decision: 'done', reason: 'done', summary, checks: [], operation: null, details: null, ...more };
}
