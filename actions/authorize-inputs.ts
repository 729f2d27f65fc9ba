import { z } from 'zod';
import type { EnterQuestion } from '../src/chatops/may-enter.ts';
import { UserError } from '../src/errors.ts';
import { Digest } from '../src/json.ts';
import { Name } from '../src/names.ts';

/** As the workflow gives them: empty where they are left out. */
export type AuthorizeInputs = Record<
  'app' | 'model' | 'environment' | 'version' | 'digest' | 'expected-generation',
  string
>;

const whole = z
  .string()
  .regex(/^\d{1,9}$/)
  .transform(Number);
/** Those of github.com have eleven digits by now. */
const RunId = z
  .string()
  .regex(/^\d{1,15}$/)
  .transform(Number);
const left = z.literal('').transform(() => undefined);
const Inputs = z.object({
  app: z.string().regex(/^[A-Za-z0-9-]{1,100}\[bot\]$/),
  model: z
    .string()
    .max(200)
    .transform((text) => text.split('@'))
    .pipe(z.union([z.tuple([Name]), z.tuple([Name, whole])])),
  environment: Name,
  version: whole.or(left),
  digest: Digest.or(left),
  'expected-generation': whole.or(left),
});

/** What a run asks about itself: who must have started it, and what its own inputs say it moves. Throws `usage`. */
export function questionOf(
  inputs: AuthorizeInputs,
  runId: string | undefined,
): { appSlug: string; question: EnterQuestion } {
  const parsed = Inputs.safeParse(inputs);
  const run = RunId.safeParse(runId);
  if (!parsed.success || !run.success) {
    const where = parsed.success ? 'GITHUB_RUN_ID' : `input ${parsed.error.issues[0]?.path.join('.')}`;
    throw new UserError({
      code: 'usage',
      message: 'This run does not say what it moves.',
      where,
      fix: 'Call this action as workflows-templates/promote.yml does; `app` is the login of the app, which ends with [bot].',
    });
  }
  const { app, model, environment, version, digest, 'expected-generation': generation } = parsed.data;
  const said = { version: model[1] ?? version, digest, generation };
  const known = Object.fromEntries(Object.entries(said).filter(([, value]) => value !== undefined));
  return {
    appSlug: app.slice(0, -'[bot]'.length),
    question: { runId: run.data, environment, claims: { model: model[0], ...known } },
  };
}
