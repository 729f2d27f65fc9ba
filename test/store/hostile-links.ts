import { execFileSync } from 'node:child_process';
import {
  closeSync,
  constants,
  cpSync,
  existsSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { UserError } from '../../src/errors.ts';
import { lock } from '../../src/registry/locks.ts';
import { verify } from '../../src/registry/verify.ts';
import { promote } from '../../src/rollout/move.ts';
import { FileSystemStorage } from '../../src/store/file-system.ts';
import { packClosure } from '../../src/store/handoff.ts';
import { keys } from '../../src/store/keys.ts';
import { alice, environments, model, openRegistry, promotion, registerVersions } from '../registry/world.ts';

export interface LinkTally {
  cases: number;
  operations: number;
  refused: number;
  problems: string[];
}

const secret = 'nobody reads or changes this';
/** By the clock: an operation that does not come back in this time hangs. */
const patience = 20_000;

/** What can be put in the place of a store's file or folder; `inside` is a file of the store. */
export const replacements: Readonly<
  Record<string, (target: { place: string; outside: string; inside: string }) => void>
> = {
  'link to a file outside': ({ place, outside }) => symlinkSync(path.join(outside, 'secret'), place),
  'link to a folder outside': ({ place, outside }) => symlinkSync(outside, place),
  'link to another file inside': ({ place, inside }) => symlinkSync(inside, place),
  'link to nothing, outside': ({ place, outside }) => symlinkSync(path.join(outside, 'new'), place),
  'link to itself': ({ place }) => symlinkSync(path.basename(place), place),
  'link to a device': ({ place }) => symlinkSync('/dev/zero', place),
  pipe: ({ place }) => execFileSync('mkfifo', [place]),
  'an empty folder': ({ place }) => mkdirSync(place),
  'hard link to a file outside': ({ place, outside }) => linkSync(path.join(outside, 'secret'), place),
};

/**
 * Puts links, pipes and folders in the place of a store's own, and works with the store. Every operation ends, is
 * done or refused as the user's mistake, and what stands outside is neither read out nor changed. `every`: takes one
 * case of so many.
 */
export async function tryLinks(jail: string, { every = 1 } = {}): Promise<LinkTally> {
  const original = path.join(jail, 'original');
  const registry = openRegistry(original);
  await registerVersions(registry, 2);
  await promote(registry, { ...promotion, version: 1, actor: alice });
  const { seq, versions } = await registry.state(model);
  const manifest = versions[0]!.manifest;
  const { files } = await registry.store.readManifest(manifest);
  const object = files[0]!.sha256;
  const places = [
    keys.log(model, 2),
    keys.log(model, seq),
    keys.log(model, seq + 1),
    keys.head(model),
    keys.object(object),
    keys.manifest(manifest),
    `log/${model}`,
    'log',
    'heads',
    'objects',
    path.dirname(keys.object(object)),
    'manifests/sha256',
    'cache',
    'tmp',
  ];
  const tally: LinkTally = { cases: 0, operations: 0, refused: 0, problems: [] };
  for (const [at, key] of places.entries()) {
    for (const [index, [what, replace]] of Object.entries(replacements).entries()) {
      if ((at + index) % every !== 0) continue;
      const home = path.join(jail, `case-${tally.cases}`);
      const [store, outside] = [path.join(home, 'store'), path.join(home, 'outside')];
      cpSync(original, store, { recursive: true });
      mkdirSync(outside);
      writeFileSync(path.join(outside, 'secret'), secret);
      const place = path.join(store, key);
      rmSync(place, { recursive: true, force: true });
      mkdirSync(path.dirname(place), { recursive: true });
      replace({ place, outside, inside: path.join(store, keys.log(model, 1)) });
      tally.cases += 1;
      await work({ store, home, place, manifest, object }, `${key}, ${what}`, tally);
      const left = readdirSync(outside).map(
        (name) => `${name}: ${readFileSync(path.join(outside, name), 'utf8')}`,
      );
      if (left.join() !== `secret: ${secret}`)
        tally.problems.push(`${key}, ${what}: outside is now ${left.join()}`);
      rmSync(home, { recursive: true, force: true });
    }
  }
  return tally;
}

interface Case {
  store: string;
  home: string;
  place: string;
  manifest: string;
  object: string;
}

async function work(
  { store, home, place, manifest, object }: Case,
  what: string,
  tally: LinkTally,
): Promise<void> {
  const operations: Record<string, () => Promise<unknown>> = {
    verify: () => verify(new FileSystemStorage(store), { anchor: null, read_data: true }),
    state: () => openRegistry(store).state(model),
    models: () => openRegistry(store).models(),
    promote: () => promote(openRegistry(store), { ...promotion, version: 2, actor: alice }),
    lock: () =>
      lock(openRegistry(store), {
        model,
        environment: 'staging',
        environments,
        op_id: null,
        reason: null,
        ttl: null,
        actor: alice,
      }),
    'read object': () => openRegistry(store).store.readBytes(object),
    'local file': () => openRegistry(store).store.localFile(object),
    'store an object': () => openRegistry(store).store.putBytes(Buffer.from('new')),
    'write the cache': () => openRegistry(store).store.writeCache('gate', object, {}),
    'hand over': () => packClosure(openRegistry(store).store, [manifest], path.join(home, 'handoff')),
    replace: () => new FileSystemStorage(store).replace(keys.head(model), Buffer.from('{}')),
    remove: () => new FileSystemStorage(store).remove(keys.object(object)),
  };
  for (const [name, operate] of Object.entries(operations)) {
    tally.operations += 1;
    const end = new AbortController();
    try {
      const late = sleep(patience, 'late', { signal: end.signal });
      const answer = await Promise.race([operate(), late]);
      if (answer === 'late') {
        tally.problems.push(`${what}: ${name} hangs`);
        release(place);
        return;
      }
      if (told(answer).includes(secret)) tally.problems.push(`${what}: ${name} tells what stands outside`);
    } catch (error) {
      tally.refused += 1;
      if (!(error instanceof UserError)) tally.problems.push(`${what}: ${name} failed: ${String(error)}`);
    } finally {
      end.abort();
    }
  }
  const taken = path.join(home, 'handoff', 'objects', object);
  if (existsSync(taken) && readFileSync(taken, 'utf8') === secret) {
    tally.problems.push(`${what}: the hand-off holds what stands outside`);
  }
}

function told(answer: unknown): string {
  return Buffer.isBuffer(answer) ? answer.toString() : (JSON.stringify(answer) ?? '');
}

/** Lets go whoever waits at a pipe, so that the process can end. */
function release(place: string): void {
  try {
    closeSync(openSync(place, constants.O_RDWR | constants.O_NONBLOCK));
  } catch {
    // it was no pipe
  }
}
