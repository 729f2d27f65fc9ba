import { mkdtemp } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { SourceInputs } from '../data/sources.ts';
import { UserError } from '../errors.ts';
import { type GitHub, GitHubUnavailable } from '../github/port.ts';
import { Digest } from '../json.ts';
import { Name } from '../names.ts';
import { Arrivals, type Ending } from '../polling/arrivals.ts';
import { versionMadeFrom } from '../polling/made-from.ts';
import { versionOf } from '../polling/source-version.ts';
import { arrivalOpId, startOnce, type Times } from '../polling/start-once.ts';
import { openStorage } from '../store/open.ts';
import { Store } from '../store/store.ts';
import { defineStage, type StageContext, type StageResult } from './define.ts';
import { ingest } from './ingest.ts';

const workflow = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/);

const PollInput = z.object({
  model: Name,
  /** Of modelgate.yaml, from the repository's root: train.yml is told. */
  config: z.string().min(1).max(500),
  workflow: workflow.describe('What trains, e.g. train.yml.'),
  dry_run: z.boolean().default(false),
});
type PollInput = z.infer<typeof PollInput>;

const PollOutputs = z.object({
  decision: z.enum(['known', 'registered', 'committed', 'started', 'unsettled', 'planned']),
  /** Of what the sources hold now that are no files of the commit. */
  digest: Digest.nullable(),
  /** What a run would train on. */
  dataset: Digest.nullable(),
  op_id: Digest.nullable(),
  /** Id of the run on GitHub. */
  run: z.string().nullable(),
  url: z.string().nullable(),
  version: z.number().nullable(),
  dry_run: z.boolean(),
});
type PollOutputs = z.infer<typeof PollOutputs>;
interface Found {
  digest: Digest;
  dataset: Digest;
  op_id: Digest | null;
}

interface Polled {
  /** Null: nothing can be started, for a dry run. */
  github: GitHub | null;
  /** The sources as they are now; their files are put into `store`. */
  read(store: Pick<Store, 'putFile'>): Promise<SourceInputs>;
  /** Hashes without keeping anything. */
  hash: Pick<Store, 'putFile'>;
  /** Names of the sources that change by a commit, whose push starts a run by itself. */
  committed(): Promise<ReadonlySet<string>>;
  times?: Times;
}

/** Looks at the sources and starts one run for a state of them that nothing was trained on. */
export const poll = (polled: Polled) =>
  defineStage({
    name: 'poll',
    description: 'Starts one run on GitHub when the sources hold data that were not seen before.',
    inputs: PollInput,
    outputs: PollOutputs,
    cache: false,
    async run(input, context) {
      try {
        return await look(input, { ...polled, context });
      } catch (error) {
        if (!(error instanceof GitHubUnavailable)) throw error;
        throw new UserError({
          code: 'github_unavailable',
          message: error.message,
          where: 'GitHub',
          fix: 'Poll again later: it goes on where it stopped, and starts nothing twice.',
          cause: error,
        });
      }
    },
  });

async function look(
  input: PollInput,
  polled: Polled & { context: StageContext },
): Promise<StageResult<PollOutputs>> {
  const { context, github } = polled;
  const { model, dry_run } = input;
  const { registry, store } = context;
  if (github === null && !dry_run) throw noGitHub();
  const arrivals = new Arrivals({ storage: store.storage, model, now: context.now });
  const arrived = await arrival(input, { ...polled, arrivals });
  if (arrived === null) return committed(input);
  const { dataset, op_id } = arrived;
  const known = await arrivals.ending(dataset);
  if (known !== null) return ended(input, arrived, { ...known, reason: 'known', was: known.reason });
  const needless = async () => {
    registry.forget(model);
    const version = await versionMadeFrom(store, await registry.state(model), dataset);
    return version === null ? null : ({ reason: 'registered', run: null, version } as const);
  };
  if (github === null || op_id === null || dry_run) {
    const why = await needless();
    return why === null ? planned(input, arrived) : ended(input, arrived, why);
  }
  const { name: branch, sha } = await github.defaultBranch();
  const start = await startOnce({
    ...{ arrivals, dataset, github, base: { branch, sha }, opId: op_id, workflow: input.workflow },
    ...{ needless, now: context.now, by: context.producer.run ?? 'unknown' },
    inputs: { sha, op_id, trigger: 'data', model, config: input.config },
    sleep: (milliseconds) => sleep(milliseconds, undefined, { signal: context.signal }),
    ...(polled.times === undefined ? {} : { times: polled.times }),
  });
  if (start.state === 'unsettled') return unsettled(input, arrived, start.until);
  const { ending, mine } = start;
  return ended(input, arrived, mine ? ending : { ...ending, reason: 'known', was: ending.reason });
}

/** What is there now; null where all sources are files of the commit. A dry run does not keep that it was seen. */
async function arrival(
  { model, dry_run }: PollInput,
  polled: Polled & { context: StageContext; arrivals: Arrivals },
): Promise<Found | null> {
  const { arrivals, github, context, read, hash } = polled;
  const byCommit = await polled.committed();
  const delivered = (sources: SourceInputs) =>
    Object.fromEntries(Object.entries(sources).filter(([name]) => !byCommit.has(name)));
  const sources = delivered(await read(hash));
  if (byCommit.size > 0 && Object.keys(sources).length === 0) return null;
  const digest = versionOf(sources);
  const isSame = (all: SourceInputs) => versionOf(delivered(all)) === digest;
  const seen = await arrivals.datasetOf(digest);
  const made = seen ?? (await datasetOf(model, { read, isSame, context }));
  const dataset = seen !== null || dry_run ? made : await arrivals.keepDataset(digest, made);
  const op_id = github === null ? null : arrivalOpId(github.repository, { model, dataset });
  return { digest, dataset, op_id };
}

/** The dataset that ingest makes of the sources, in a store of its own: a poll leaves no data behind. */
async function datasetOf(
  model: string,
  {
    read,
    isSame,
    context,
  }: Pick<Polled, 'read'> & { context: StageContext; isSame(sources: SourceInputs): boolean },
): Promise<Digest> {
  const folder = await mkdtemp(path.join(context.workDirectory, 'poll-'));
  const storage = await openStorage(folder);
  await storage.prepare();
  const store = new Store(storage);
  const sources = await read(store);
  if (!isSame(sources)) {
    throw new UserError({
      code: 'data_unavailable',
      message: 'The sources change while they are read.',
      where: 'data.sources',
      fix: 'Poll again when the delivery is over; best write a file beside its place and rename it.',
    });
  }
  return (await ingest.run({ sources, model }, { ...context, store })).outputs.dataset;
}

function committed({ model, dry_run }: PollInput): StageResult<PollOutputs> {
  const nothing = { digest: null, dataset: null, op_id: null };
  return told(nothing, {
    ...{ decision: 'committed', reason_code: 'nothing_to_do', dry_run },
    summary: `The sources of ${model} are files of the commit: their push starts the run that trains on them.`,
  });
}

function planned({ model, dry_run }: PollInput, found: Found): StageResult<PollOutputs> {
  return told(found, {
    ...{ decision: 'planned', reason_code: 'done', dry_run },
    summary: `The data of ${model} are new (${found.digest.slice(0, 12)}): a run would be started, unless an earlier poll has just asked for it.`,
  });
}

function unsettled({ model, dry_run }: PollInput, found: Found, until: Date): StageResult<PollOutputs> {
  return told(found, {
    ...{ decision: 'unsettled', reason_code: 'dispatch_unsettled', verdict: 'inconclusive', dry_run },
    summary: `A run for the new data of ${model} was asked for, and GitHub does not show it yet. A poll after ${until.toISOString()} asks again if it is not there by then.`,
  });
}

type Decided = Pick<Ending, 'run' | 'version'> & {
  reason: Ending['reason'] | 'known';
  /** How the dataset was ended before. */
  was?: Ending['reason'];
};

function ended({ model, dry_run }: PollInput, found: Found, decided: Decided): StageResult<PollOutputs> {
  const { reason, was, run, version } = decided;
  const data = `the data of ${model} (${found.digest.slice(0, 12)})`;
  const why = {
    started: `Run ${run?.id} was started for ${data}.`,
    registered: `Version ${version} was trained on ${data}.`,
  };
  return told(found, {
    decision: reason,
    reason_code: reason === 'started' ? 'done' : 'nothing_to_do',
    summary: reason === 'known' ? `Nothing new. ${why[was ?? 'started']}` : why[reason],
    ...{ run, version, dry_run },
  });
}

function told(
  found: Found | Record<keyof Found, null>,
  result: Pick<PollOutputs, 'decision' | 'dry_run'> &
    Pick<StageResult<PollOutputs>, 'reason_code' | 'summary'> &
    Partial<Pick<StageResult<PollOutputs>, 'verdict'>> &
    Partial<Pick<Ending, 'run' | 'version'>>,
): StageResult<PollOutputs> {
  const { decision, dry_run, reason_code, summary, verdict = 'pass', run = null, version = null } = result;
  return {
    ...{ verdict, reason_code, summary },
    outputs: {
      decision,
      ...found,
      run: run === null ? null : String(run.id),
      url: run?.url ?? null,
      version,
      dry_run,
    },
  };
}

function noGitHub(): UserError {
  return new UserError({
    code: 'usage',
    message: 'A run can be started only from a job of GitHub Actions, with its token.',
    where: 'GITHUB_TOKEN',
    fix: 'Let poll.yml poll; elsewhere, --dry-run says what it would do.',
  });
}
