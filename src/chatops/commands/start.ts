import type { CommandResult, Operation } from '../context.ts';
import { startOperation } from '../operations.ts';
import type { CommandRequest } from './handler.ts';
import { refusalOf, refused } from './refusal.ts';

export interface StartPlan {
  operation: Operation;
  checks: CommandResult['checks'];
  /** Asked last, just before the effect; throws what stands against it. */
  recheck?(): Promise<void>;
  summary: string;
}

/** Starts an operation as the end of a command that found nothing against it. */
export async function start(
  { context, comment, record }: CommandRequest,
  { operation, checks, recheck = async () => {}, summary }: StartPlan,
): Promise<CommandResult> {
  try {
    const started = await startOperation({
      ...{ context, comment, operation, recheck },
      record: (now) => record(now, checks),
    });
    return { decision: 'started', reason: 'started', summary, checks, operation: started, details: null };
  } catch (error) {
    const refusal = refusalOf(error);
    if (refusal === null) throw error;
    return refused(refusal, checks);
  }
}
