import { UserError } from '../../errors.ts';
import type { VersionState } from '../../registry/state.ts';
import { code, type Markdown, text } from '../../report/markdown.ts';
import { judgedOf } from '../commands/candidate.ts';
import type { ChatopsContext, ConfiguredModel } from '../context.ts';
import { readGateReport } from '../gate-report.ts';
import { touchedBy } from '../touched.ts';
import { gateCheck, putCheck } from './checks.ts';
import { putGateCheck } from './gate-check.ts';
import type { Judged } from './judged.ts';
import { inputsDifference, Tree } from './model-inputs.ts';
import type { Reported } from './run.ts';

/** Models that are all asked; of more those that the group touches. */
const mostAsked = 5;
/** How far back a version with the same inputs is sought. */
const searched = 50;

/**
 * A merge queue asks for its checks on a commit of its own, which nobody has trained: without an answer it waits for
 * ever. A verdict is carried over where the group's model inputs are, file for file, those of a version that was
 * judged, whichever pull request of the group it came from; else the check is neutral and says why, which lets the
 * group pass: nothing is deployed by a merge, what stands on the default branch is trained and judged again.
 */
export async function onMergeGroup(
  { headSha }: { headSha: string },
  context: ChatopsContext,
): Promise<Reported> {
  const { github, models } = context;
  const touched = models.size > mostAsked ? await touchedBy(context, headSha) : null;
  for (const [name, model] of models) {
    if (touched !== null && !touched.includes(name)) continue;
    const found = await judgedAlike(name, model, new Tree(github, headSha), context);
    if (typeof found !== 'string') {
      const note = `Every model input of this merge group is that of ${code(found.commit.slice(0, 12))}, so its verdict holds here.`;
      await putGateCheck(context, { judged: found, sha: headSha, run: null, note });
      continue;
    }
    await putCheck(github, {
      ...gateCheck(name),
      ...{ headSha, conclusion: 'neutral', annotations: [], detailsUrl: null },
      title: 'Not judged in this merge group',
      summary: found,
    });
  }
  return models.size === 0 ? 'nothing_to_report' : 'reported';
}

/** The newest version with the tree's inputs, or why there is none. */
async function judgedAlike(
  name: string,
  model: ConfiguredModel,
  tree: Tree,
  { github }: ChatopsContext,
): Promise<Judged | Markdown> {
  const { registry } = model;
  const { versions } = await registry.state(name);
  let why: Markdown | null = null;
  for (const version of versions.slice(-searched).toReversed()) {
    const found = await compare(version, { model, tree, at: (sha) => new Tree(github, sha) });
    if (found === null) continue;
    if (found.differs === null)
      return { model: name, version, commit: found.commit, report: await readGateReport(registry, version) };
    why ??= `${code(found.differs, 100)} is not what ${code(`${name}@${version.version}`, 100)} was judged with.`;
  }
  const rest = `What this group merges is trained and judged on the default branch, before any environment can have it.`;
  return `${why ?? `No version of ${text(name, 63)} was judged yet.`} ${rest}`;
}

/** Null: the version cannot be compared, since its commit is not known or its package is gone. */
async function compare(
  version: Readonly<VersionState>,
  { model, tree, at }: { model: ConfiguredModel; tree: Tree; at(sha: string): Tree },
): Promise<{ commit: string; differs: string | null } | null> {
  try {
    const { commit } = await judgedOf(model.registry, version);
    if (commit === null || !/^[0-9a-f]{40}$/.test(commit)) return null;
    return { commit, differs: await inputsDifference(model, version, { tree, judged: at(commit) }) };
  } catch (error) {
    if (error instanceof UserError && error.code === 'object_missing') return null;
    throw error;
  }
}
