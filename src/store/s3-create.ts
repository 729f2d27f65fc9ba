import { UserError } from '../errors.ts';
import { failureOf } from './s3-errors.ts';
import { backOff, type RetryPolicy } from './s3-retry.ts';

/** Who made what is at a name: this very call of `create`, another one, or nobody yet. */
export type Maker = 'ours' | 'others' | 'nobody';

export interface Creation {
  where: string;
  policy: RetryPolicy;
  /** Asks the store once to create, on the condition that nothing is there. */
  attempt(): Promise<void>;
  /** Looks who made what is there now. */
  maker(): Promise<Maker>;
}

/**
 * Creates exactly once over a network that loses answers. A refusal because something is there may be the echo of
 * our own success (a lost answer, or a middle man that asked twice), so it is believed only after looking who made
 * it. 409: the same request again. No answer or a fault of the store: look, then the same bytes again.
 */
export async function createOnce(creation: Creation): Promise<'created' | 'exists'> {
  const { policy, where } = creation;
  for (let attempt = 0; ; attempt += 1) {
    try {
      await creation.attempt();
      return 'created';
    } catch (error) {
      const failure = failureOf(error);
      if (failure === 'final' || failure === 'missing') throw error;
      if (failure !== 'conflict') {
        const maker = await creation.maker();
        if (maker !== 'nobody') return maker === 'ours' ? 'created' : 'exists';
      }
      if (attempt + 1 >= policy.tries) throw undecided(error, where);
      await backOff(policy, attempt);
    }
  }
}

function undecided(cause: unknown, where: string): UserError {
  return new UserError({
    code: 'storage_unavailable',
    message: 'The store gives no certain answer: what was asked may still be done.',
    where,
    fix: 'Run the same command again, with the same --op-id if it had one: what was done is found, not done twice.',
    cause,
  });
}
