import { randomUUID } from 'node:crypto';
import { UserError } from '../errors.ts';
import { keys } from './keys.ts';
import type { Storage } from './storage.ts';

export const probeChecks = [
  'create',
  'create_once',
  'read_after_write',
  'race',
  'replace',
  'list',
  'remove',
] as const;
export type ProbeCheck = (typeof probeChecks)[number];

export interface ProbeFinding {
  check: ProbeCheck;
  verdict: 'pass' | 'fail';
  /** What was seen: for people. */
  observed: string;
}

const racers = 16;
const rounds = 3;

/** A check ends with what it saw; this is thrown when that is not what the registry needs. */
class Unsuitable extends Error {}

/**
 * Tries on a storage what the registry relies on, under names of its own that are removed again. A store that cannot
 * be reached or denies access throws; one that does otherwise than it must gives findings.
 */
export async function probeStorage(storage: Storage): Promise<ProbeFinding[]> {
  const id = randomUUID();
  const key = (name: string) => keys.probe(id, name);
  const bytes = (text: string) => Buffer.from(text);
  const made = new Set<string>();
  const create = (name: string, text: string) => {
    made.add(key(name));
    return storage.create(key(name), bytes(text));
  };

  const checks: Record<ProbeCheck, () => Promise<string>> = {
    async create() {
      expectThat((await create('once', 'first')) === 'created', 'a new name was refused');
      await expectContent(storage, key('once'), 'first');
      return 'a new name is created';
    },
    async create_once() {
      const end = await create('once', 'second');
      await expectContent(storage, key('once'), 'first');
      expectThat(end === 'exists', 'a second create of the same name was accepted');
      return 'a second create of the same name is refused, and the first content stays';
    },
    async read_after_write() {
      for (let round = 0; round < racers; round += 1) {
        const name = `read-${round}`;
        // asked before it is there: a store may remember that it was missing
        const before = await storage.read(key(name));
        expectThat(before === null, 'something was there before it was written');
        await create(name, name);
        await expectContent(storage, key(name), name);
        expectThat((await storage.size(key(name))) === name.length, 'the size is another one');
      }
      return `what was written is read at once, ${racers} times of ${racers}`;
    },
    async race() {
      for (let round = 0; round < rounds; round += 1) {
        const name = `race-${round}`;
        const contents = Array.from({ length: racers }, (_, racer) => `racer ${racer} `.repeat(500));
        const ends = await Promise.all(contents.map((content) => create(name, content)));
        const winners = ends.filter((end) => end === 'created').length;
        expectThat(winners === 1, `${winners} of ${racers} concurrent creators of one name won`);
        await expectContent(storage, key(name), contents[ends.indexOf('created')] ?? '');
      }
      return `exactly one of ${racers} concurrent creators won, ${rounds} times of ${rounds}`;
    },
    async replace() {
      made.add(key('replaced'));
      const contents = Array.from({ length: 8 }, (_, writer) => `${writer}`.repeat(1000));
      // a request that was given up may arrive late and bring an older content back: a hint may be old, never mixed
      let seen = 0;
      for (const content of contents) {
        await storage.replace(key('replaced'), bytes(content));
        if ((await expectWhole(storage, key('replaced'), contents)) === content) seen += 1;
      }
      expectThat(seen > contents.length / 2, `only ${seen} of ${contents.length} replacements were seen`);
      await Promise.all(contents.map((content) => storage.replace(key('replaced'), bytes(content))));
      await expectWhole(storage, key('replaced'), contents);
      return 'content is replaced whole';
    },
    async list() {
      const listed = new Map<string, number>();
      for await (const entry of storage.list(keys.probes(id))) listed.set(entry.key, entry.size);
      const missing = [...made].filter((name) => !listed.has(name));
      expectThat(missing.length === 0, `${missing.length} of ${made.size} names are not listed`);
      expectThat(listed.size === made.size, `${listed.size - made.size} names too many are listed`);
      expectThat(listed.get(key('replaced')) === 1000, 'a listed size is another one');
      return `${made.size} names of ${made.size} are listed`;
    },
    async remove() {
      for (const name of made) await storage.remove(name);
      expectThat((await storage.read(key('once'))) === null, 'what was removed is still read');
      made.clear();
      return 'what was removed is gone';
    },
  };

  const findings: ProbeFinding[] = [];
  try {
    for (const check of probeChecks) findings.push(await judge(check, checks[check]));
  } finally {
    for (const name of made) await storage.remove(name).catch(() => undefined);
  }
  return findings;
}

async function judge(check: ProbeCheck, work: () => Promise<string>): Promise<ProbeFinding> {
  try {
    return { check, verdict: 'pass', observed: await work() };
  } catch (error) {
    const unsuitable =
      error instanceof Unsuitable || (error instanceof UserError && error.code === 'storage_unsuitable');
    if (unsuitable) return { check, verdict: 'fail', observed: error.message };
    throw error;
  }
}

async function expectContent(storage: Storage, key: string, text: string): Promise<void> {
  const read = await storage.read(key);
  expectThat(read !== null, 'what was just written is not there');
  expectThat(read?.toString('utf8') === text, 'what was just written is read with other content');
}

async function expectWhole(storage: Storage, key: string, contents: readonly string[]): Promise<string> {
  const read = (await storage.read(key))?.toString('utf8') ?? '';
  expectThat(contents.includes(read), 'replacements were mixed');
  return read;
}

function expectThat(holds: boolean, otherwise: string): void {
  if (!holds) throw new Unsuitable(otherwise);
}
