import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { artifactName } from '../../actions/artifacts.ts';
import { parseCommandLine } from '../../src/cli/arguments.ts';
import { Config } from '../../src/config/schema.ts';
import { UserError } from '../../src/errors.ts';
import { admitOnnx } from '../../src/evaluation/onnx-admission.ts';
import { SlicesPolicy } from '../../src/gate/policy.ts';
import { sha256 } from '../../src/json.ts';
import { Name } from '../../src/names.ts';
import { loadCommand } from '../../src/stages/commands.ts';
import { keys } from '../../src/store/keys.ts';
import { objectName, parseS3Url } from '../../src/store/s3-url.ts';
import { graph, model, node, tensor, types, value } from '../evaluation/onnx-writer.ts';
import { contextOf, openRegistry } from '../registry/world.ts';
import { hostileNames } from './hostile-payloads.ts';
import { escapedFrom, makeJail } from './jail.ts';

export interface NameTally {
  names: number;
  /** Names tried at an entrance. */
  tried: number;
  /** Of these, those that were let in: plain ones. */
  accepted: number;
  problems: string[];
}

type Entrance = (name: string) => unknown;

/** Where a name from outside comes in. Each refuses it as the user's mistake, or lets it in as it is. */
function entrances(store: string): Record<string, Entrance> {
  const registry = openRegistry(store);
  const { storage } = registry.store;
  const context = contextOf(registry);
  const missing = () =>
    Promise.reject(new UserError({ code: 'config_missing', message: 'There is none.', fix: 'None.' }));
  const project = { config: missing, settings: async () => null, context };
  const call = async (command: string, args: readonly string[]) => {
    const found = (await loadCommand(command))!;
    const { options } = parseCommandLine(found, args);
    const { error } = await found.run(options, project);
    if (error?.code === 'internal') throw new Error(error.message);
    if (error !== undefined) throw new UserError({ code: 'usage', message: error.message, fix: error.fix });
  };
  const digest = sha256('x');
  const bytes = Buffer.from('x');
  const put = (key: string) => storage.create(key, bytes);
  const place = { bucket: 'models', prefix: 'team/' };
  return {
    'promote MODEL': (name) => call('promote', ['--to', 'staging', '--', name]),
    'promote --to': (name) => call('promote', ['flights-late', `--to=${name}`]),
    'promote MODEL@VERSION': (name) => call('promote', ['--to', 'staging', '--', `flights-late@${name}`]),
    'promote --op-id': (name) => call('promote', ['flights-late', '--to', 'staging', `--op-id=${name}`]),
    rollback: (name) => call('rollback', [`--in=${name}`, '--', name]),
    lock: (name) => call('lock', [`--in=${name}`, '--reason', 'x', '--', name]),
    'lock in staging': (name) => call('lock', ['--in', 'staging', '--reason', 'x', '--', name]),
    unlock: (name) => call('unlock', [`--in=${name}`, '--', name]),
    retire: (name) => call('retire', ['--', `${name}@1`]),
    status: (name) => call('status', ['--', name]),
    history: (name) => call('history', ['--', name]),
    'registry verify --anchor': (name) => call('registry verify', [`--anchor=${name}:1:${digest}`]),
    'registry verify --model': (name) => call('registry verify', [`--model=${name}`]),
    'artifact name': (name) => artifactName(name, 'from-artifacts'),
    'configuration: model': (name) => Config.shape.model.parse(name),
    'configuration: environment': (name) => Config.shape.environments.parse([{ name }]),
    'configuration: source': (name) =>
      Config.shape.data.shape.sources.parse({ [name]: { kind: 'file', path: 'a.csv' } }),
    'configuration: evaluation set': (name) => Config.shape.evaluation.shape.id.parse(name),
    'registry state': (name) => registry.state(name),
    'log key': (name) => put(keys.log(name, 1)),
    'head key': (name) => storage.replace(keys.head(name), bytes),
    'checkpoint key': (name) => storage.replace(keys.checkpoint(name, 1), bytes),
    'object key': (name) => put(keys.object(name)),
    'cache stage': (name) => registry.store.writeCache(name, digest, {}),
    'cache key': (name) => registry.store.writeCache('gate', name, {}),
    'slices of the gate': (name) =>
      SlicesPolicy.parse({ by: [name], critical: [{ where: { [name]: name }, margin: 0.1 }] }),
    'external data of a model': (name) => {
      admitOnnx(withExternalData(name));
      throw new Error('admitted');
    },
    'quarantine key': (name) => put(keys.quarantine('m', digest, name)),
    'predictions key': (name) => put(keys.predictions('m', name, '2026-01-01', name)),
    'a raw key': (name) => put(`raw/${name}`),
    'a file of a manifest': (name) =>
      registry.store.putManifest({
        kind: 'split',
        files: [{ name, size: 1, sha256: digest }],
        inputs: {},
        facts: {},
        producer: { commit: null, run: '1', attempt: 1, trigger: 'test', modelgate: '0' },
      }),
    'S3 bucket': (name) => requirePlain(parseS3Url(`s3://${name}`).prefix),
    'S3 prefix': (name) => requirePlain(parseS3Url(`s3://models/${name}`).prefix),
    'S3 key': (name) => requirePlain(objectName(place, `raw/${name}`)),
    'S3 key of a model': (name) => requirePlain(objectName(place, keys.log(name, 1))),
  };
}

/** A model whose only tensor lies in another file. */
function withExternalData(location: string): Buffer {
  const weights = tensor({ name: 'w', type: types.float, dims: [1], external: location });
  const [inputs, outputs] = [[value('x', types.float)], [value('y', types.float)]];
  const abs = node({ operator: 'Abs', inputs: ['x'], outputs: ['y'] });
  return model(graph({ nodes: [abs], inputs, outputs, initializers: [weights] }));
}

function requirePlain(key: string): void {
  const wrong = key.split('/').some((part) => part === '.' || part === '..') || /^\/|[\\\0]|\/\//.test(key);
  if (wrong) throw new Error(`a key that is no plain path: ${JSON.stringify(key)}`);
}

/**
 * Brings hostile names to every entrance. What is let in must be a plain name, distinct without regard to case;
 * what is refused must be the user's mistake; and nothing may be made outside of the store.
 */
export async function tryNames(options: { jail: string; count: number; seed: number }): Promise<NameTally> {
  const jail = makeJail(options.jail);
  const store = path.join(jail, 'store');
  mkdirSync(store, { recursive: true });
  writeFileSync(path.join(jail, 'canary'), 'canary');
  const tally: NameTally = { names: 0, tried: 0, accepted: 0, problems: [] };
  const doors = Object.entries(entrances(store));
  for (const name of hostileNames({ ...options, jail })) {
    tally.names += 1;
    for (const [door, enter] of doors) {
      tally.tried += 1;
      try {
        await enter(name);
        tally.accepted += 1;
      } catch (error) {
        if (!isRefusal(error)) tally.problems.push(`${door} ${told(name)}: ${String(error).slice(0, 300)}`);
      }
    }
    const { data } = Name.safeParse(name);
    if (data !== undefined && (data !== data.toLowerCase() || data.includes('..'))) {
      tally.problems.push(`accepted as a name: ${told(name)}`);
    }
  }
  const outside = escapedFrom(options.jail, ['store', 'canary']);
  tally.problems.push(...outside.map((found) => `outside of the store: ${found}`));
  return tally;
}

/** The schema at the edge, the user's mistake, or the last door: the key that is no path. */
function isRefusal(error: unknown): boolean {
  if (error instanceof UserError) return error.code !== 'internal';
  if (error instanceof z.ZodError) return true;
  return error instanceof RangeError && /^bad (storage key|seq)/.test(error.message);
}

const told = (name: string) => JSON.stringify(name.slice(0, 80));
