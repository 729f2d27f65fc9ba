import type { Registry } from '../../registry/registry.ts';
import { requireVersion } from '../../registry/rules.ts';
import type { ModelState, VersionState } from '../../registry/state.ts';
import type { CommandResult } from '../context.ts';
import { gateReportMarkdown, readGateReport } from '../gate-report.ts';
import { candidateOf } from './candidate.ts';
import type { CommandOf, CommandRequest } from './handler.ts';
import { done, Refusal } from './refusal.ts';
import { chooseModel, subjectOf } from './target.ts';

/** Characters: a reply holds more than this. */
const longest = 40_000;

const verdicts = { pass: 'passed', fail: 'failed', inconclusive: 'is undecided' } as const;

/** Why a version was judged as it was: the report that its gate left in the store. */
export async function explain(request: CommandRequest<CommandOf<'explain'>>): Promise<CommandResult> {
  const { command, context, comment } = request;
  const { name, model } = chooseModel(context, command.model, await subjectOf(context, comment));
  const state = await model.registry.state(name);
  const version = await meant(request, state, model.registry);
  return done(`The gate of ${name}@${version.version} ${verdicts[version.verdict]}.`, {
    details: gateReportMarkdown(await readGateReport(model.registry, version), longest),
  });
}

/** Named; else that of the pull request's head; else the newest. */
async function meant(
  { command, context, comment }: CommandRequest<CommandOf<'explain'>>,
  state: ModelState,
  registry: Registry,
): Promise<Readonly<VersionState>> {
  if (command.version !== null) return requireVersion(state, command.version);
  const pull = comment.isPullRequest ? await context.github.pullRequest(comment.number) : null;
  const found = pull === null ? null : await candidateOf(registry, state, pull.headSha);
  const version = found?.version ?? (pull === null ? state.versions.at(-1) : undefined);
  if (version !== undefined) return version;
  throw new Refusal('no_candidate', 'Nothing was judged here yet.', 'Train a candidate with `/train`.');
}
