import type { WorkflowRun } from '../../github/port.ts';
import { mapAtMost } from '../../map-at-most.ts';
import type { Registry } from '../../registry/registry.ts';
import type { ModelState, VersionState } from '../../registry/state.ts';
import { candidateOf, judgedOf } from '../commands/candidate.ts';
import type { ChatopsContext, ConfiguredModel } from '../context.ts';
import { type GateReport, readGateReport } from '../gate-report.ts';

/** How far back the version of a run is sought. */
const searched = 50;

/** A version that a default-branch workflow trained, judged and registered: what it says counts. */
export interface Judged {
  model: string;
  version: Readonly<VersionState>;
  /** The commit that was trained and judged. */
  commit: string;
  report: GateReport;
}

/** The newest version of a commit, from the registry. Null: none was trained there, or the model is not configured. */
export async function judgedAt(
  { models }: Pick<ChatopsContext, 'models'>,
  model: string,
  sha: string,
): Promise<Judged | null> {
  const registry = models.get(model)?.registry;
  if (registry === undefined) return null;
  const found = await candidateOf(registry, await registry.state(model), sha);
  if (found === null) return null;
  const { version } = found;
  return { model, version, commit: sha, report: await readGateReport(registry, version) };
}

type JudgedVersion = Omit<Judged, 'report'>;

/** Models whose logs are read at once. */
const atOnce = 16;
/** How far the clock of a runner may be behind GitHub's. */
const skew = 86_400_000;

/**
 * What a workflow run has judged, the newest of each commit, by model: the registry says which run made a verdict.
 * Versions that were there before the run are not looked at: there may be many models.
 */
export async function judgedBy(
  { models }: Pick<ChatopsContext, 'models'>,
  run: Pick<WorkflowRun, 'id' | 'createdAt'>,
): Promise<JudgedVersion[]> {
  return (await mapAtMost([...models], atOnce, (one) => judgedOfModel(one, run))).flat();
}

async function judgedOfModel(
  [model, { registry }]: [string, ConfiguredModel],
  run: Pick<WorkflowRun, 'id' | 'createdAt'>,
): Promise<JudgedVersion[]> {
  const found: JudgedVersion[] = [];
  const since = Date.parse(run.createdAt) - skew;
  for (const version of newest(await registry.state(model))) {
    if (Date.parse(version.registered_at) < since) break;
    const commit = await commitBy(registry, version, run.id);
    if (commit !== null && !found.some((one) => one.commit === commit))
      found.push({ model, commit, version });
  }
  return found;
}

const newest = ({ versions }: ModelState): Readonly<VersionState>[] => versions.slice(-searched).toReversed();

async function commitBy(
  registry: Registry,
  version: Readonly<VersionState>,
  runId: number,
): Promise<string | null> {
  const { producer } = await registry.store.readManifest(version.gate, 'gate');
  if (producer.run !== String(runId)) return null;
  // null where package and gate do not agree on it
  const { commit } = await judgedOf(registry, version);
  return commit !== null && /^[0-9a-f]{40}$/.test(commit) ? commit : null;
}
