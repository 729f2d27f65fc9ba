import type { PullRequest } from '../../github/port.ts';
import { environmentOf, type ModelState } from '../../registry/state.ts';
import type { ChatopsContext, ConfiguredModel } from '../context.ts';
import { type EnvironmentRules, environmentRules } from '../environment-rules.ts';
import type { Subject } from '../rules.ts';
import { Refusal } from './refusal.ts';

/** The first line of an issue that we opened for an alert: which model and environment it is about. */
const alertMarker = /^<!-- modelgate:alert ([a-z0-9._-]{1,63})\/([a-z0-9._-]{1,63})\/[a-z0-9._-]{1,63} -->/;

/** What the thread itself is about: a drift issue names model and environment; others say nothing. */
export async function subjectOf(
  { github }: Pick<ChatopsContext, 'github'>,
  { number, isPullRequest }: { number: number; isPullRequest: boolean },
): Promise<Subject> {
  const nothing = { model: null, environment: null };
  if (isPullRequest) return nothing;
  const issue = await github.issue(number);
  // a body of somebody else can hold any marker
  const found = issue?.ours === true ? alertMarker.exec(issue.body) : null;
  return found === null ? nothing : { model: found[1] ?? null, environment: found[2] ?? null };
}

/** The model that is meant. Refuses `unknown_model` and, without a name among several, `ambiguous`. */
export function chooseModel(
  { models }: Pick<ChatopsContext, 'models'>,
  given: string | null,
  subject: Subject = { model: null, environment: null },
): { name: string; model: ConfiguredModel } {
  const names = [...models.keys()].sort();
  const name = given ?? subject.model ?? (names.length === 1 ? (names[0] ?? null) : null);
  const list = names.slice(0, 20).join(', ') || 'none';
  if (name === null) {
    throw new Refusal(
      'ambiguous',
      `This repository has several models: ${list}.`,
      'Name the one that you mean.',
    );
  }
  const model = models.get(name);
  if (model !== undefined) return { name, model };
  throw new Refusal('unknown_model', `There is no model ${name}; there are: ${list}.`, 'Name one of these.');
}

/** How train.yml and monitor.yml are told which model is meant: by itself they take that of modelgate.yaml. */
export const inputsOf = (name: string, { file }: Pick<ConfiguredModel, 'file'>): Record<string, string> => ({
  model: name,
  config: file,
});

/** Refuses `unknown_environment`. */
export function requireRules(
  context: ChatopsContext,
  model: ConfiguredModel,
  name: string,
): EnvironmentRules {
  const rules = environmentRules(context, model, name);
  if (rules !== null) return rules;
  const list = model.config.environments.map((one) => one.name).join(', ');
  throw new Refusal(
    'unknown_environment',
    `There is no environment ${name}; there are: ${list}.`,
    'Name one of these.',
  );
}

/**
 * Where a version goes next, without a name: the first environment that it has not been in. Refuses `ambiguous`
 * where that is the last one, which always names itself.
 */
export function nextEnvironment(
  { config }: Pick<ConfiguredModel, 'config'>,
  state: ModelState,
  version: { version: number; manifest: string },
): string {
  const names = config.environments.map(({ name }) => name);
  const last = names.at(-1) ?? '';
  const next = names.find(
    (name) => !environmentOf(state, name).served.some(({ manifest }) => manifest === version.manifest),
  );
  if (next !== undefined && next !== last) return next;
  throw new Refusal(
    'ambiguous',
    next === undefined
      ? `${state.model}@${version.version} has been in every environment.`
      : `The next environment is ${last}, which is always named.`,
    `Say where to: \`/promote ${state.model}@${version.version} to ${last}\``,
  );
}

/** Where to go back, without a name: the one environment that runs anything, never the last one. */
export function onlyEnvironment({ config }: Pick<ConfiguredModel, 'config'>, state: ModelState): string {
  const names = config.environments.map(({ name }) => name);
  const running = names.filter((name) => environmentOf(state, name).version !== null);
  const [only] = running;
  if (only !== undefined && running.length === 1 && only !== names.at(-1)) return only;
  throw new Refusal(
    'ambiguous',
    running.length === 0
      ? `Nothing of ${state.model} runs anywhere.`
      : `${state.model} runs in ${running.join(', ')}: it is not clear where to go back.`,
    `Say where: \`/rollback ${state.model} in ${running.at(-1) ?? names.at(-1) ?? 'production'}\``,
  );
}

/** The pull request that a comment stands on, as it is now. */
export async function requirePull(
  { github }: Pick<ChatopsContext, 'github'>,
  { number }: { number: number },
): Promise<PullRequest> {
  const pull = await github.pullRequest(number);
  if (pull !== null) return pull;
  throw new Refusal('unavailable', 'GitHub does not show this pull request.', 'Try again later.');
}
