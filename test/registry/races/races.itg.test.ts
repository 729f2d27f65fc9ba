import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { seededRandom } from '../../../src/stats/random.ts';
import { seeded, startFaultProxy } from '../../store/servers/fault-proxy.ts';
import { bucket, environmentFor, noServer, type S3Server, startS3 } from '../../store/servers/s3-server.ts';
import { badDay, commitThroughFaults, createThroughFaults, raceFaults } from './faults.ts';
import { countAnswers } from './history.ts';
import { brisk, openPlace, type Place, patient, stubborn } from './place.ts';
import { askPorcupine, noPorcupine } from './porcupine.ts';
import { type Race, type RaceResult, runRace } from './race.ts';
import { randomHistory } from './random-history.ts';
import { checkRegister } from './register-check.ts';
import { generationsOf, withDoubleWinner, withStaleRead } from './seeds.ts';
import { describeTally, isClean } from './tally.ts';

/*
 * The short form of `npm run chaos:registry -- races`.
 */

const folder = mkdtempSync(join(tmpdir(), 'modelgate-races-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const cache = join(folder, 'cache');
const noChecker = noPorcupine();
const noS3 = noServer();

async function race(what: string, options: Pick<Race, 'place' | 'env'>): Promise<RaceResult> {
  const result = await runRace({ ...options, processes: 8, operations: 64, seed: 3 });
  console.log(`${what}: ${result.generations} generations, ${JSON.stringify(countAnswers(result.history))}`);
  return result;
}

/** Exactly one winner a generation, and every answer true. */
function expectSound({ history, generations, lies, disorder, verification }: RaceResult): void {
  expect({ lies, disorder }).toEqual({ lies: [], disorder: [] });
  expect(history).toHaveLength(64);
  const won = history.flatMap(({ answer }) => (answer.type === 'won' ? [answer.generation] : []));
  expect(won.sort((a, b) => a - b)).toEqual(Array.from({ length: generations }, (_, index) => index + 1));
  expect(generations).toBeGreaterThan(0);
  expect(verification).toMatchObject({ answer: 'sound', missing: [], bad: [] });
}

async function expectCheckers({ history }: RaceResult): Promise<void> {
  const generation = Math.min(3, generationsOf(history));
  const histories = [history, withStaleRead(history, generation), withDoubleWinner(history, generation)];
  expect(histories.map((one) => checkRegister(one).length > 0)).toEqual([false, true, true]);
  if (noChecker === null) expect(await askPorcupine(histories)).toEqual(['ok', 'illegal', 'illegal']);
}

describe('races of processes', () => {
  it('[GOV-1] 8 processes on a folder: one winner a generation, no lie; seeded wrong answers are found', {
    timeout: 120_000,
  }, async () => {
    const place: Place = { url: join(folder, 'store'), cache, patience: patient };
    const result = await race('folder', { place });
    expectSound(result);
    await expectCheckers(result);
  });

  it.skipIf(noChecker !== null)(`porcupine and our check agree (${noChecker ?? 'built'})`, async () => {
    const histories = Array.from({ length: 400 }, (_, seed) =>
      randomHistory(seededRandom(seed), { operations: 4 + (seed % 20), wrong: seed % 3 }),
    );
    const ours = histories.map((history) => (checkRegister(history).length === 0 ? 'ok' : 'illegal'));
    expect(await askPorcupine(histories)).toEqual(ours);
    expect(ours.filter((one) => one === 'illegal').length).toBeGreaterThan(50);
  });
});

describe.skipIf(noS3 !== null)(`races on S3 (${noS3 ?? 'a real server'})`, () => {
  let server: S3Server;
  beforeAll(async () => {
    server = await startS3();
    Object.assign(process.env, server.environment);
  });
  afterAll(() => server?.stop());
  const place = (prefix: string, patience = patient): Place => ({
    url: `s3://${bucket}/${prefix}`,
    cache,
    patience,
  });

  it('[GOV-1] 8 processes through lost answers, echoes, refusals and delays: one winner a generation, no lie', {
    timeout: 240_000,
  }, async () => {
    const proxy = await startFaultProxy({ upstream: server.port, fault: raceFaults(7) });
    onTestFinished(() => proxy.stop());
    const result = await race('S3 behind faults', {
      place: place('race', stubborn),
      env: environmentFor(proxy.port),
    });
    expectSound(result);
    await expectCheckers(result);
    expect(proxy.counts.size).toBeGreaterThan(5);
  });

  it('[GOV-1] 300 creates with 30 % of the replies dropped: 0 double, 0 lost, 0 false "lost race"', {
    timeout: 240_000,
  }, async () => {
    const proxy = await startFaultProxy({ upstream: server.port, fault: seeded(5, badDay) });
    onTestFinished(() => proxy.stop());
    const direct = await openPlace(place('bad-day'));
    const open = () => openPlace(place('bad-day', brisk), environmentFor(proxy.port));
    const bare = await createThroughFaults({
      writers: [await open(), await open(), await open()],
      direct,
      operations: 180,
    });
    const writers = await Promise.all(Array.from({ length: 8 }, open));
    const commits = await commitThroughFaults({ writers, direct, logs: 4, operations: 120 });
    console.log(`${describeTally('bare storage', bare)}\n${describeTally('registry', commits)}`);
    expect(bare).toMatchObject({ operations: 180, done: 60, others: 120, uncertain: 0 });
    expect(commits).toMatchObject({ operations: 120, done: 120, uncertain: 0 });
    expect([bare, commits].map(isClean)).toEqual([true, true]);
    const faults = [...proxy.counts].filter(([fault]) => fault !== 'none');
    expect(faults.reduce((sum, [, count]) => sum + count, 0)).toBeGreaterThan(300);
  });
});
