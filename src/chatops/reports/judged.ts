import type { Registry } from '../../registry/registry.ts';
import type { ModelState, VersionState } from '../../registry/state.ts';
import { candidateOf, judgedOf } from '../commands/candidate.ts';
import type { ChatopsContext } from '../context.ts';
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

/** What a workflow run has judged, the newest of each commit, by model: the registry says which run made a verdict. */
export async function judgedBy(
  { models }: Pick<ChatopsContext, 'models'>,
  runId: number,
): Promise<JudgedVersion[]> {
  const found: JudgedVersion[] = [];
  for (const [model, { registry }] of models) {
    for (const version of newest(await registry.state(model))) {
      const commit = await commitBy(registry, version, runId);
      if (commit !== null && !found.some((one) => one.model === model && one.commit === commit))
        found.push({ model, commit, version });
    }
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
