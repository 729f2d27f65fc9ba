import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UserError } from '../../src/errors.ts';
import { type GitHub, GitHubUnavailable } from '../../src/github/port.ts';
import { Arrivals, lastOf } from '../../src/polling/arrivals.ts';
import {
  arrivalOpId,
  type Start,
  type StartOnce,
  startOnce,
  usualTimes,
} from '../../src/polling/start-once.ts';
import { MemoryGitHub } from '../chatops/memory-github.ts';
import { Clock } from '../registry/world.ts';
import { MemoryStorage } from '../store/memory-storage.ts';

const model = 'flights-late';
const dataset = 'd'.repeat(64);
const minute = 60_000;

class Killed extends Error {}

async function openWorld() {
  const clock = new Clock();
  const github = new MemoryGitHub(clock.now);
  const storage = await MemoryStorage.open();
  const opId = arrivalOpId(github.repository, { model, dataset });
  const base = { branch: 'main', sha: github.base.sha };
  const request = (more: Partial<StartOnce> = {}): StartOnce => ({
    arrivals: new Arrivals({ storage, model, now: clock.now }),
    ...{ dataset, github, base, opId, workflow: 'train.yml', by: '1' },
    inputs: { sha: base.sha, op_id: opId, trigger: 'data', model },
    needless: async () => null,
    now: clock.now,
    sleep: async (milliseconds) => clock.forward(milliseconds),
    ...more,
  });
  return { clock, github, storage, opId, request, poll: () => startOnce(request()) };
}

const refusal = new UserError({ code: 'github_refused', message: 'No such input.', fix: 'Mend it.' });
const lost = () => new GitHubUnavailable('502', { retryAfterSeconds: null, ambiguous: true });

describe('[TRG-4] one run for a dataset', () => {
  it('is started by the first poll, with what train.yml needs; later ones ask GitHub nothing', async () => {
    const { github, opId, poll } = await openWorld();
    expect(await poll()).toMatchObject({ state: 'ended', mine: true, ending: { reason: 'started' } });
    expect(github.workflowRuns).toMatchObject([
      { inputs: { sha: github.base.sha, op_id: opId, trigger: 'data', model } },
    ]);
    const asked = github.requests.length;
    expect(await poll()).toMatchObject({ state: 'ended', mine: false });
    expect(github.requests).toHaveLength(asked);
    expect(github.workflowRuns).toHaveLength(1);
  });

  it('also where GitHub does not tell the run', async () => {
    const { github, poll } = await openWorld();
    github.tellsRun = false;
    expect(await poll()).toMatchObject({ ending: { run: { id: github.workflowRuns[0]?.id } } });
    await poll();
    expect(github.workflowRuns).toHaveLength(1);
  });

  it('where the answer is lost after the effect, it is found by its title', async () => {
    const { github, poll } = await openWorld();
    github.after = () => {
      throw lost();
    };
    expect(await poll()).toMatchObject({ state: 'ended', mine: true });
    expect(github.workflowRuns).toHaveLength(1);
  });

  it('where nothing came of it, it is asked for again only when GitHub would show it', async () => {
    const { clock, github, poll } = await openWorld();
    github.before = (method) => {
      if (method === 'dispatch') throw lost();
    };
    const first = await poll();
    expect(first).toMatchObject({ state: 'unsettled' });
    github.before = () => {};
    expect(await poll()).toEqual(first);
    expect(github.workflowRuns).toHaveLength(0);
    clock.forward(usualTimes.settle);
    expect(await poll()).toMatchObject({ state: 'ended', mine: true });
    expect(github.workflowRuns).toHaveLength(1);
  });

  it('where GitHub shows the run late, it waits for it', async () => {
    const { clock, github, request } = await openWorld();
    let shown = false;
    const late = new Proxy(github, {
      get(target, name, receiver) {
        if (name !== 'runs' || shown) return Reflect.get(target, name, receiver);
        return async function* () {};
      },
    });
    github.tellsRun = false;
    expect(await startOnce(request({ github: late }))).toMatchObject({ state: 'unsettled' });
    clock.forward(10 * minute);
    expect(await startOnce(request({ github: late }))).toMatchObject({ state: 'unsettled' });
    shown = true;
    clock.forward(10 * minute);
    expect(await startOnce(request({ github: late }))).toMatchObject({ state: 'ended', mine: false });
    expect(github.workflowRuns).toHaveLength(1);
  });

  it('a run of a stranger with the same title is not taken for it', async () => {
    const { clock, github, opId, poll } = await openWorld();
    github.before = (method) => {
      if (method === 'dispatch') throw lost();
    };
    await poll();
    github.before = () => {};
    await github.dispatch({ workflow: 'train.yml', branch: 'main', inputs: { sha: 'a', op_id: opId } });
    github.workflowRuns[0]!.ours = false;
    clock.forward(usualTimes.settle);
    expect(await poll()).toMatchObject({ state: 'ended', mine: true });
    expect(github.workflowRuns.filter(({ ours }) => ours)).toHaveLength(1);
  });

  it('what GitHub refuses is thrown, and the next poll may ask at once', async () => {
    const { github, poll } = await openWorld();
    github.before = (method) => {
      if (method === 'dispatch') throw refusal;
    };
    for (let time = 0; time < 5; time += 1) await expect(poll()).rejects.toBe(refusal);
    github.before = () => {};
    expect(await poll()).toMatchObject({ state: 'ended', mine: true });
    expect(github.workflowRuns).toHaveLength(1);
  });

  it('a poll that was held up after its claim starts nothing', async () => {
    const { clock, github, request, poll } = await openWorld();
    const arrivals = request().arrivals;
    const slow = new Proxy(arrivals, {
      get(target, name, receiver) {
        if (name !== 'claim') return Reflect.get(target, name, receiver).bind?.(target);
        return async (...given: Parameters<Arrivals['claim']>) => {
          const claimed = await target.claim(...given);
          clock.forward(usualTimes.lease + 1);
          return claimed;
        };
      },
    });
    expect(await startOnce(request({ arrivals: slow }))).toMatchObject({ state: 'unsettled' });
    expect(github.requests).not.toContain('dispatch');
    await poll();
    expect(github.workflowRuns).toHaveLength(1);
  });

  it('nothing is started for what became needless after an attempt of which nothing is known', async () => {
    const { clock, github, request, poll } = await openWorld();
    github.before = (method) => {
      if (method === 'dispatch') throw lost();
    };
    await poll();
    clock.forward(usualTimes.settle);
    const needless = async () => ({ reason: 'registered', run: null, version: 3 }) as const;
    expect(await startOnce(request({ needless }))).toMatchObject({ ending: { version: 3 }, mine: true });
    expect(github.workflowRuns).toHaveLength(0);
  });

  it('killed before each request of GitHub and of the store, then polled again: one run', async () => {
    const quiet = await openWorld();
    let requests = 0;
    const counted = hindered(quiet, () => {
      requests += 1;
    });
    await counted();
    expect(requests).toBeGreaterThan(5);
    for (let kill = 1; kill <= requests; kill += 1) {
      const world = await openWorld();
      let at = 0;
      const poll = hindered(world, () => {
        at += 1;
        if (at === kill) throw new Killed();
      });
      await expect(poll()).rejects.toThrow(Killed);
      world.github.before = () => {};
      for (let time = 0; time < 4; time += 1) {
        await world.poll();
        world.clock.forward(10 * minute);
      }
      expect(world.github.workflowRuns, `killed at ${kill}`).toHaveLength(1);
    }
  });

  it('any number of polls at once, in any order of their requests, killed or without an answer, runs shown late', async () => {
    const fault = fc.constantFrom('kill', 'lose', 'lose-after-effect', 'refuse', 'none');
    const polls = fc.array(fc.record({ at: fc.integer({ min: 1, max: 20 }), fault }), {
      ...{ minLength: 2, maxLength: 5 },
    });
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), polls, fc.boolean(), async (scheduler, plans, late) => {
        const world = await openWorld();
        const { github, clock, poll } = world;
        const started = () => github.workflowRuns.length;
        const ends = plans.map(({ at, fault }) => {
          let step = 0;
          const before = async (request: string) => {
            await scheduler.schedule(Promise.resolve(), request);
            step += 1;
            if (step === at && fault === 'kill') throw new Killed();
            if (request === 'dispatch' && fault === 'lose') throw lost();
            if (request === 'dispatch' && fault === 'refuse') throw refusal;
          };
          const after = (request: string) => {
            if (request === 'dispatch' && fault === 'lose-after-effect') throw lost();
          };
          return hindered(world, before, { after, late })().catch((error: unknown) => error);
        });
        await scheduler.waitFor(Promise.all(ends));
        expect(started()).toBeLessThanOrEqual(1);
        clock.forward(usualTimes.settle);
        await poll();
        expect(started()).toBe(1);
      }),
      { seed: 6, numRuns: 200 },
    );
  });
});

/** A poll whose every request, of GitHub and of the store, asks first. `late`: GitHub shows a run after ten minutes. */
function hindered(
  world: Awaited<ReturnType<typeof openWorld>>,
  before: (request: string) => void | Promise<void>,
  { after = () => {}, late = false }: { after?: (request: string) => void; late?: boolean } = {},
): () => Promise<Start> {
  const shown = (run: { createdAt: string }) =>
    !late || Date.parse(run.createdAt) + 10 * minute < world.clock.time;
  const asks = <T extends object>(target: T): T =>
    new Proxy(target, {
      get(_, name) {
        const value: unknown = Reflect.get(target, name);
        if (typeof value !== 'function') return value;
        if (name === 'runs') {
          return async function* (...given: unknown[]) {
            await before('runs');
            for await (const run of Reflect.apply(value, target, given) as ReturnType<GitHub['runs']>)
              if (shown(run)) yield run;
          };
        }
        return async (...given: unknown[]) => {
          await before(String(name));
          const answer: unknown = await Reflect.apply(value, target, given);
          after(String(name));
          return answer;
        };
      },
    });
  const arrivals = new Arrivals({ storage: asks(world.storage), model, now: world.clock.now });
  return () => startOnce(world.request({ arrivals, github: asks(world.github) }));
}

describe('the number of the last attempt', () => {
  it('is found in few looks, whatever it is', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(100_000), async (last) => {
        let looks = 0;
        const isThere = async (number: number) => {
          looks += 1;
          return number <= last;
        };
        expect(await lastOf(isThere)).toBe(last);
        expect(looks).toBeLessThanOrEqual(2 * Math.ceil(Math.log2(last + 1)) + 2);
      }),
      { seed: 7 },
    );
  });
});
