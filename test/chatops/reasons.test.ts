import { describe, expect, it } from 'vitest';
import type { CommandResult, ReasonCode } from '../../src/chatops/context.ts';
import { retire } from '../../src/registry/locks.ts';
import { model, pull, ready, sha, type World, type WorldOptions } from './world.ts';

type Case = [options: WorldOptions, act: (world: World & { digest: string }) => Promise<CommandResult>];

const promote = '/promote to staging';
const asked: WorldOptions = { environments: [{ name: 'staging', approval: true }, { name: 'production' }] };

/** How each reason comes about. */
const cases: Record<ReasonCode, Case> = {
  done: [{}, (world) => world.say('max', '/lock staging --reason="release week"')],
  nothing_to_do: [{}, (world) => world.say('max', `/unlock staging`)],
  started: [{}, (world) => world.say('max', promote)],
  planned: [{}, (world) => world.say('max', `${promote} --dry-run`)],
  usage: [{}, (world) => world.say('max', '/promote --confirm')],
  not_permitted: [{}, (world) => world.say('rea', promote)],
  self_approval: [
    asked,
    async (world) => {
      await world.say('max', promote);
      return world.say('max', '/approve to staging');
    },
  ],
  fork_refused: [
    {},
    (world) => {
      world.change({ fork: true });
      return world.say('max', promote);
    },
  ],
  not_open: [
    {},
    (world) => {
      world.change({ state: 'closed' });
      return world.say('max', promote);
    },
  ],
  wrong_base: [
    {},
    (world) => {
      world.change({ baseRef: 'stable' });
      return world.say('max', promote);
    },
  ],
  head_moved: [
    {},
    (world) => {
      world.open({ headSha: sha('4') });
      return world.say('max', `/promote ${model}@2 to staging`);
    },
  ],
  champion_moved: [
    {},
    async (world) => {
      await world.candidate(sha('1'), { champion: 'f'.repeat(64) });
      return world.say('max', promote);
    },
  ],
  too_old: [
    {},
    (world) => {
      const comment = world.comment('max', promote);
      world.clock.forward(3_700_000);
      return world.handle(comment);
    },
  ],
  drift_found: [
    {},
    async (world) => {
      const started = await world.say('max', '/drift run');
      world.drifts(started.operation?.run?.id ?? 0);
      const ended = await world.end(started);
      return ended ?? started;
    },
  ],
  not_reviewed: [
    { policy: { environments: { staging: { reviews: 2 } } } },
    (world) => world.say('max', promote),
  ],
  checks_not_green: [
    {},
    (world) => {
      world.github.checks.set(sha('1'), { state: 'unknown', failed: [], pending: [] });
      return world.say('max', promote);
    },
  ],
  gate_failed: [
    {},
    async (world) => {
      await world.candidate(sha('1'), { verdict: 'fail' });
      return world.say('max', promote);
    },
  ],
  gate_undecided: [
    {},
    async (world) => {
      await world.candidate(sha('1'), { verdict: 'inconclusive' });
      return world.say('max', promote);
    },
  ],
  no_candidate: [
    {},
    (world) => {
      world.open({ headSha: sha('4') });
      return world.say('max', promote);
    },
  ],
  order: [{}, (world) => world.say('max', `/promote to production --confirm=${world.digest}`)],
  locked: [
    {},
    async (world) => {
      await world.say('ann', '/hold staging --reason=audit');
      return world.say('max', promote);
    },
  ],
  frozen: [
    {},
    async (world) => {
      await world.say('max', promote);
      await world.work();
      await world.say('max', '/rollback in staging');
      await world.work();
      return world.say('max', promote);
    },
  ],
  retired: [
    {},
    async (world) => {
      const actor = { name: 'ann', via: 'cli' } as const;
      await retire(world.registry, { model, version: 2, actor, op_id: null, reason: null });
      return world.say('max', promote);
    },
  ],
  approval_needed: [asked, (world) => world.say('max', promote)],
  confirm_needed: [
    { policy: { environments: { staging: { confirm: true } } } },
    (world) => world.say('max', promote),
  ],
  digest_mismatch: [{}, (world) => world.say('max', `${promote} --confirm=${'0'.repeat(12)}`)],
  no_previous: [{}, (world) => world.say('max', '/rollback in production')],
  package_damaged: [
    {},
    async (world) => {
      const { store } = world.registry;
      const { versions } = await world.registry.state(model);
      const { files } = await store.readManifest(versions[1]?.manifest ?? '', 'model');
      const digest = files[0]?.sha256 ?? '';
      await store.storage.remove(`objects/sha256/${digest.slice(0, 2)}/${digest}`);
      return world.say('max', promote);
    },
  ],
  ambiguous: [{}, (world) => world.say('max', '/rollback')],
  unknown_model: [{}, (world) => world.say('max', '/promote other to staging')],
  unknown_environment: [{}, (world) => world.say('max', '/promote to nowhere')],
  unavailable: [{}, (world) => world.say('max', `${promote} --canary=10`)],
  internal: [
    {},
    async (world) => {
      const started = await world.say('max', promote);
      world.open({ headSha: sha('4') });
      await world.work();
      const [record] = world.records();
      return { ...started, decision: 'failed', reason: record?.reason ?? 'done' };
    },
  ],
};

describe('each reason', () => {
  it.each(Object.entries(cases) as [ReasonCode, Case][])(
    '%s',
    { timeout: 60_000 },
    async (reason, [options, act]) => {
      const world = await ready(options);
      const before = await world.serving('production');
      const result = await act(world);
      expect(result.reason).toBe(reason);
      // what people read names it, and what was refused has started nothing
      const [record] = world.records().slice(-1);
      expect(record?.reason).toBe(reason);
      if (result.decision === 'refused') {
        const comment = world.github.threads.find(({ id }) => id === record?.comment);
        expect(comment?.reactions).toEqual(['eyes', '-1']);
        expect(record?.operation).toBeNull();
      }
      expect(await world.serving('production')).toBe(before);
      expect(world.github.threads.filter(({ number }) => number !== pull)).toEqual([]);
    },
  );
});
