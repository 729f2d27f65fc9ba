import { setTimeout as sleep } from 'node:timers/promises';
import { opIdOfRun } from '../../src/chatops/operations.ts';
import { environmentOf } from '../../src/registry/state.ts';
import type { Fault, Request } from '../github/fake/faults.ts';
import type { FakeRepository } from '../github/fake/repository.ts';
import { BotWorld, environments, eventually, modelConfig, workflows } from './world.ts';

export interface ChaosPlan {
  seed: number;
  repositories: number;
  /** Of each repository; each has one pull request with a candidate. */
  models: number;
  /** Comments altogether. */
  events: number;
  /** Times at which the bot is killed. */
  kills: number;
  /** How long GitHub answers nothing but 503, in the middle; in milliseconds. */
  outage: number;
  /** Share of requests that go wrong. */
  faults: number;
  /** A quiet run: each delivery once, in order, no fault. */
  quiet?: boolean;
  /** Several bots on one inbox, each run with a new one: the URL of an empty PostgreSQL database. */
  shared?: { processes: number; inbox: () => Promise<string> };
}

/** What a command came to, as far as it does not hang on the order of events. */
interface End {
  comment: string;
  decision: string | null;
  reason: string | null;
  replies: number;
  reactions: string;
  dispatches: number;
  deployments: number;
  entries: number;
}

export interface ChaosResult {
  /** By the event's place in the plan. */
  ends: End[];
  /** What stands in each environment of each model. */
  registry: string[];
  violations: string[];
  seconds: number;
  deliveries: number;
  faults: Record<string, number>;
  killed: number;
  refused: string[];
}

/** Without the reactions: they are decoration, made once, and lost where GitHub or the bot fails just then. */
export const effectsOf = ({ ends }: ChaosResult): Omit<End, 'reactions'>[] =>
  ends.map(({ reactions: _, ...effects }) => effects);

/** A small generator of pseudo-random numbers in [0, 1) (mulberry32). */
export function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

interface Place {
  repository: FakeRepository;
  model: string;
  number: number;
}

/** Commands that do not depend on each other, so that any order of them comes to the same. */
const kinds: readonly ((model: string) => [author: string, body: string])[] = [
  (model) => ['max', `/promote ${model} to staging`],
  (model) => ['max', `/lock ${model} in production --reason="chaos"`],
  () => ['rea', '/promote to production'],
  () => ['max', '/promte to staging'],
  () => ['max', 'Nice work, thank you.'],
  () => ['max', '/help promote'],
];

/** Lets people comment while the bot is killed and GitHub falters, and gives what it came to when all is quiet. */
export async function runChaos(plan: ChaosPlan): Promise<ChaosResult> {
  const started = performance.now();
  const next = random(plan.seed);
  const files = Array.from({ length: plan.models }, (_, n) => `models/m${n}/modelgate.yaml`);
  await using world = await BotWorld.create({
    environment: { MODELGATE_CONFIG_FILES: files.join(','), LOG_LEVEL: 'warn' },
    ...(plan.shared && { processes: plan.shared.processes, inbox: await plan.shared.inbox() }),
  });
  const processes = Array.from({ length: plan.shared?.processes ?? 1 }, (_, which) => which);
  const places = await prepare(world, plan, files);
  const comments = say(world, plan, places);
  const faults = new Map<string, number>();
  if (!plan.quiet)
    world.github.faults.plan = (request) => counted(faults, faultOf(request, plan.faults, next));
  for (const which of processes) await world.start(which);
  const deliveries = deliver(world, plan, next);
  const killed = plan.quiet ? 0 : await trouble(world, plan, next);
  await deliveries.done;
  world.github.faults.plan = null;
  world.github.faults.outage = false;
  // what was lost on the way is fetched at the start
  for (const which of processes) await world.end('SIGTERM', which);
  await settleDeliveries(world);
  for (const which of processes) await world.start(which);
  await eventually(
    () => looksForMissed(world, processes),
    (looks) => looks > 0,
    { within: 600_000, what: 'a bot that has looked for what it missed' },
  );
  await eventually(
    () => quietly(world),
    (left) => left === 0,
    { within: 600_000, what: 'an inbox without waiting jobs' },
  );
  await eventually(
    () =>
      comments.filter(({ id, place }) => world.replies(place.repository, id)[0]?.decision === 'started')
        .length,
    (left) => left === 0,
    { within: 300_000, what: 'no command without its end' },
  );
  await world.github.idle();
  for (const which of processes) await world.end('SIGTERM', which);
  return {
    ends: await Promise.all(comments.map((one) => endOf(world, one))),
    registry: await Promise.all(places.map((place) => standing(world, place))),
    violations: world.github.violations,
    seconds: (performance.now() - started) / 1000,
    deliveries: deliveries.count(),
    faults: Object.fromEntries(faults),
    killed,
    refused: world.log.filter((line) => line.includes('"level":"error"')).slice(0, 20),
  };
}

async function prepare(world: BotWorld, plan: ChaosPlan, files: readonly string[]): Promise<Place[]> {
  const places: Place[] = [];
  for (let r = 0; r < plan.repositories; r += 1) {
    const configs = files.map((file, n) => [file, modelConfig(`m${n}`)]);
    // one organisation each: what GitHub allows a minute counts by installation
    const repository = world.github.repository(`team${r}/flights`, {
      isPrivate: true,
      files: { ...Object.fromEntries(configs), ...workflows },
    });
    repository.collaborator('max', 'maintain');
    repository.collaborator('rea', 'read');
    for (let n = 0; n < plan.models; n += 1) {
      const model = `m${n}`;
      const { version } = await world.candidate(repository, { model, commit: '0'.repeat(40) });
      await world.place(repository, { model, version });
      const pull = repository.openPullRequest('max', {
        branch: `better-${n}`,
        files: { [`${model}.py`]: 'x' },
      });
      await world.candidate(repository, { model, commit: pull.pull.headSha });
      repository.status(pull.pull.headSha, 'tests', 'success');
      places.push({ repository, model, number: pull.number });
    }
  }
  await world.github.idle();
  return places;
}

interface Said {
  id: number;
  body: string;
  place: Place;
}

/** All comments, kept back: the promotions first, so that each place has its own. */
function say(world: BotWorld, plan: ChaosPlan, places: readonly Place[]): Said[] {
  world.github.deliveries.hold();
  return Array.from({ length: plan.events }, (_, n) => {
    const place = places[n % places.length] as Place;
    const round = Math.floor(n / places.length);
    const kind = kinds[round < kinds.length ? round : 2 + (round % (kinds.length - 2))];
    const [author, body] = kind?.(place.model) ?? ['max', 'hello'];
    return { id: place.repository.comment(place.number, author, body).id, body, place };
  });
}

/** One to five copies of each, in any order, spread over the time of the run; some are lost. */
function deliver(
  world: BotWorld,
  plan: ChaosPlan,
  next: () => number,
): { done: Promise<void>; count: () => number } {
  const { deliveries } = world.github;
  let count = 0;
  const late = new Set<Promise<void>>();
  if (!plan.quiet)
    deliveries.plan = ({ redelivery, event }) => {
      const copies = next() < 0.03 && !redelivery ? 0 : 1 + Math.floor(next() * 5);
      count += copies;
      return { copies, waitMilliseconds: event === 'issue_comment' ? Math.floor(next() * spread(plan)) : 0 };
    };
  else deliveries.plan = () => ({ copies: 1, waitMilliseconds: count++ * 0 });
  deliveries.release((held) => (plan.quiet ? held : shuffled(held, next)));
  return {
    count: () => count,
    done: (async () => {
      await world.github.deliveries.settled();
      await Promise.all(late);
    })(),
  };
}

/** Over so long comments come in, in milliseconds. */
const spread = ({ events, kills }: ChaosPlan): number => events * 40 + kills * 1500;

/** Kills and an outage, at moments that the seed chooses. Gives how often it was killed. */
async function trouble(world: BotWorld, plan: ChaosPlan, next: () => number): Promise<number> {
  let killed = 0;
  for (let n = 0; n < plan.kills; n += 1) {
    await sleep(300 + next() * 2200);
    const which = plan.shared ? Math.floor(next() * plan.shared.processes) : 0;
    await world.end('SIGKILL', which);
    killed += 1;
    if (n === Math.floor(plan.kills / 2)) world.github.faults.outage = true;
    await world.start(which);
    if (n === Math.floor(plan.kills / 2)) {
      await sleep(plan.outage);
      world.github.faults.outage = false;
    }
  }
  return killed;
}

function faultOf({ method }: Request, share: number, next: () => number): Fault | null {
  const dice = next() / share;
  if (dice >= 1) return null;
  if (dice < 0.45)
    return method === 'GET' ? { kind: 'refuse', status: 502 } : { kind: 'lose-answer', status: 502 };
  if (dice < 0.6) return method === 'GET' ? null : { kind: 'lose-answer', status: 'reset' };
  if (dice < 0.8) return { kind: 'refuse', status: 503 };
  if (dice < 0.9) return { kind: 'secondary-limit', status: 403, retryAfter: 1 };
  return { kind: 'secondary-limit', status: 429, retryAfter: 1 };
}

function counted(faults: Map<string, number>, fault: Fault | null): Fault | null {
  if (fault !== null) faults.set(fault.kind, (faults.get(fault.kind) ?? 0) + 1);
  return fault;
}

function shuffled<T>(items: readonly T[], next: () => number): T[] {
  const all = [...items];
  for (let at = all.length - 1; at > 0; at -= 1) {
    const other = Math.floor(next() * (at + 1));
    [all[at], all[other]] = [all[other] as T, all[at] as T];
  }
  return all;
}

/** Failed deliveries are a while old, as they are when somebody starts a bot again. */
async function settleDeliveries(world: BotWorld): Promise<void> {
  await world.github.idle();
  world.github.deliveries.plan = null;
  const past = `${new Date(Date.now() - 60_000).toISOString().slice(0, 19)}Z`;
  for (const one of world.github.deliveries.list) one.deliveredAt = past;
}

/** How often the bots have looked for missed deliveries since they started; the inbox is quiet before they do. */
async function looksForMissed(world: BotWorld, processes: readonly number[]): Promise<number> {
  const texts = await Promise.all(processes.map((which) => world.metrics(which)));
  return texts.reduce((sum, text) => sum + Number(/missed_looks_total (\d+)/.exec(text)?.[1] ?? 0), 0);
}

/** Jobs that wait or are worked on, of the last count that the bot gave. */
async function quietly(world: BotWorld): Promise<number> {
  await world.github.idle();
  const text = await world.metrics();
  const waiting = [...text.matchAll(/inbox_jobs\{state="(?:new|running)",kind="(\w+)"\} (\d+)/g)];
  return waiting.reduce((sum, [, , count]) => sum + Number(count), 0);
}

async function endOf(world: BotWorld, { id, body, place }: Said): Promise<End> {
  const { repository, model } = place;
  const replies = world.replies(repository, id);
  const record = replies[0];
  const opId = record?.op_id ?? 'none';
  const entries = await world.registry(repository).entries(model);
  return {
    comment: `${repository.fullName} ${body}`,
    decision: record?.decision ?? null,
    reason: record?.reason ?? null,
    replies: replies.length,
    reactions: repository
      .findComment(id)
      .reactions.map(({ content }) => content)
      .sort()
      .join(' '),
    dispatches: repository.runs.filter((run) => opIdOfRun({ title: run.title }) === opId).length,
    deployments: repository.deployments.filter(({ payload }) => JSON.stringify(payload).includes(opId))
      .length,
    entries: entries.filter(({ entry }) => entry.op_id === opId).length,
  };
}

async function standing(world: BotWorld, { repository, model }: Place): Promise<string> {
  const state = await world.registry(repository).state(model);
  const runs = environments.map((name) => {
    const { version, lock } = environmentOf(state, name);
    return `${name} ${version}${lock === null ? '' : ` locked: ${lock.reason}`}`;
  });
  return `${repository.fullName} ${model}: ${runs.join(', ')}`;
}
