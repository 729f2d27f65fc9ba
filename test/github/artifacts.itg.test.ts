import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { UserError } from '../../src/errors.ts';
import type { Artifact } from '../../src/github/port.ts';
import { type Member, zip } from '../actions/zip-writer.ts';
import type { World } from './conformance.ts';
import type { FakeRun } from './fake/runs.ts';
import { actions, openWorld } from './world.ts';

const limit = 262_144;
const name = /^outcome\.json$/;
let world: World;
let run: FakeRun;
beforeAll(async () => {
  world = await openWorld(actions);
  run = world.repository.startRun({ workflow: 'pull-request.yml', event: 'pull_request', by: 'eve' });
});
afterAll(async () => {
  await world.server[Symbol.asyncDispose]();
  expect(world.server.violations).toEqual([]);
});

function uploaded(bytes: Buffer, said: Partial<Artifact> = {}): Artifact {
  const { id } = run.upload('gate', bytes);
  return { id, name: 'gate', size: bytes.length, expired: false, ...said };
}
const read = (artifact: Artifact) => world.github.artifactFile({ artifact, name, limit });
const refusal = (message: RegExp) =>
  expect.objectContaining({ code: 'github_artifact_refused', message: expect.stringMatching(message) });

const zeros = Buffer.alloc(50_000_000);
const noise = (length: number) =>
  Buffer.from(Array.from({ length }, (_, n) => ((n * 2_654_435_761) >>> (n % 24)) & 255));

describe('an artifact of a stranger', () => {
  it.each<[string, Buffer, RegExp]>([
    ['no archive', Buffer.from('{"verdict":"pass"}'), /no directory/],
    [
      'a larger archive than allowed',
      zip([{ name: 'outcome.json', content: noise(400_000) }]),
      /bytes; 262144/,
    ],
    [
      'a larger file than allowed',
      zip([{ name: 'outcome.json', content: zeros.subarray(0, 300_000) }]),
      /times/,
    ],
    [
      'a file that packs too well',
      zip([{ name: 'outcome.json', content: zeros.subarray(0, 200_000) }]),
      /times/,
    ],
    [
      'a bomb',
      zip([{ name: 'outcome.json', content: zeros, claims: 8_000_000 }]),
      /its file has 8000000 bytes/,
    ],
    [
      'a file longer than it says',
      zip([{ name: 'outcome.json', content: zeros, claims: 1000 }]),
      /longer than it says/,
    ],
    ['a file shorter than it says', zip([{ name: 'outcome.json', content: 'x', claims: 1000 }]), /shorter/],
    ['a name outside', zip([{ name: '../outcome.json', content: 'x' }]), /name/],
    ['a link', zip([{ name: 'outcome.json', content: '/etc/passwd', mode: 0o120777 }]), /plain file/],
    [
      'two files of one name',
      zip([
        { name: 'outcome.json', content: '1' },
        { name: 'OUTCOME.json', content: '2' },
      ]),
      /name twice/,
    ],
    [
      'too many files',
      zip(Array.from({ length: 1001 }, (_, n) => ({ name: `f${n}`, content: '', shared: n > 0 }))),
      /1001 files/,
    ],
  ])('is refused when it is %s', async (_, bytes, message) => {
    await expect(read(uploaded(bytes))).rejects.toEqual(refusal(message));
  });

  it('is not read further than allowed when it is larger than GitHub said', async () => {
    const bytes = zip([{ name: 'outcome.json', content: noise(2_000_000) }]);
    await expect(read(uploaded(bytes, { size: 10 }))).rejects.toEqual(refusal(/more than 262144/));
  });

  it('is gone when it expired', async () => {
    const artifact = uploaded(zip([{ name: 'outcome.json', content: '{}' }]));
    run.artifacts.at(-1)!.expired = true;
    await expect(read(artifact)).rejects.toMatchObject({ code: 'github_missing' });
  });

  it('gives at most the allowed bytes or is refused, whatever 200 archives hold', async () => {
    const content = fc.oneof(
      fc.string({ maxLength: 300 }).map((text) => Buffer.from(text)),
      fc.nat(2_000_000).map((length) => zeros.subarray(0, length)),
      fc.nat(400_000).map((length) => noise(length)),
    );
    const member: fc.Arbitrary<Member> = fc.record(
      {
        name: fc.oneof(
          { weight: 4, arbitrary: fc.constant('outcome.json') },
          fc.constantFrom('../outcome.json', 'a/outcome.json', 'outcome.json/x', 'outcome.json\0', ''),
          fc.string({ maxLength: 20 }),
        ),
        content,
        claims: fc.oneof(fc.nat(limit), fc.nat(0xffffffff)),
        method: fc.constantFrom(8, 8, 8, 0, 12),
        mode: fc.constantFrom(0o100644, 0o100644, 0o120777, 0o040755),
        flags: fc.constantFrom(0, 0, 0, 1, 8),
        shared: fc.boolean(),
      },
      { requiredKeys: ['name', 'content'] },
    );
    const sound = fc.record({ name: fc.constant('outcome.json'), content }) as fc.Arbitrary<Member>;
    const archive = fc
      .tuple(
        fc.oneof(fc.tuple(sound), fc.array(member, { maxLength: 4 })),
        fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 3 }),
        fc.constantFrom('', 'cut', 'before', 'after'),
      )
      .map(([members, changes, more]) => {
        const bytes = zip(members);
        for (const [at, byte] of changes) bytes[at % bytes.length] = byte;
        if (more === 'cut') return bytes.subarray(0, bytes.length >> 1);
        if (more === 'before') return Buffer.concat([Buffer.from('MZ'), bytes]);
        return more === 'after' ? Buffer.concat([bytes, bytes]) : bytes;
      });
    const seen = { read: 0, none: 0, refused: 0 };
    await fc.assert(
      fc.asyncProperty(archive, async (bytes) => {
        try {
          const file = await read(uploaded(bytes));
          expect(file?.length ?? 0).toBeLessThanOrEqual(limit);
          seen[file === null ? 'none' : 'read'] += 1;
        } catch (error) {
          expect(error).toBeInstanceOf(UserError);
          expect(error).toMatchObject({ code: 'github_artifact_refused' });
          seen.refused += 1;
        } finally {
          run.artifacts.length = 0;
        }
      }),
      { numRuns: 200, seed: 6 },
    );
    expect(Math.min(seen.read, seen.none, seen.refused)).toBeGreaterThan(0);
  });
});
