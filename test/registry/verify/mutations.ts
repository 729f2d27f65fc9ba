import { execFileSync } from 'node:child_process';
import { renameSync, truncateSync } from 'node:fs';
import path from 'node:path';
import { type Json, sha256 } from '../../../src/json.ts';
import { keys } from '../../../src/store/keys.ts';
import { model } from '../world.ts';
import { forgeManifest, type Log, readLog, writeLog } from './forgery.ts';
import { drop, file, folder, link, makeFolders, parse, put, type Scene } from './scene.ts';
import { noise, spoil, strangeName } from './strange.ts';

type Mutation = (scene: Scene) => void;

/** Ways to spoil a registry, from a flipped bit to a log that is forged from end to end. */
export const mutations: Readonly<Record<string, Mutation>> = {
  'random bytes': (scene) => put(scene, file(scene), noise(scene.random, scene.random.below(4000))),
  'bit flips': (scene) => {
    const key = file(scene);
    const bytes = Buffer.from(scene.tree.get(key)!);
    for (let n = 0; n < 5 && bytes.length > 0; n += 1) {
      bytes[scene.random.below(bytes.length)]! ^= 1 << scene.random.below(8);
    }
    put(scene, key, bytes);
  },
  empty: (scene) => put(scene, file(scene), Buffer.alloc(0)),
  'cut off': (scene) => {
    const key = file(scene);
    const bytes = scene.tree.get(key)!;
    put(scene, key, bytes.subarray(0, scene.random.below(bytes.length + 1)));
  },
  'grown by garbage': (scene) => {
    const key = file(scene);
    put(scene, key, Buffer.concat([scene.tree.get(key)!, noise(scene.random, 64)]));
  },
  'enormous, all zeros': (scene) => {
    const key = file(scene, /^(log|manifests|heads)\//);
    put(scene, key, Buffer.alloc(0));
    truncateSync(path.join(scene.folder, key), 2 ** 33);
  },
  'file missing': (scene) => drop(scene, file(scene)),
  'folder missing': (scene) => drop(scene, folder(scene)),
  'folder in place of a file': (scene) => {
    const key = file(scene);
    drop(scene, key);
    makeFolders(path.join(scene.folder, key, ...(scene.random.below(2) === 0 ? [] : ['sub'])));
  },
  'file in place of a folder': (scene) => {
    const key = folder(scene);
    drop(scene, key);
    put(scene, key, noise(scene.random, 20));
  },
  'link in place of a file': (scene) => {
    const key = file(scene);
    drop(scene, key);
    link(scene, key, [
      path.join(scene.outside, 'secret'),
      key.split('/').at(-1)!,
      'nowhere',
      '/dev/zero',
      path.join(scene.folder, file(scene)),
    ]);
  },
  'link in place of a folder': (scene) => {
    const key = folder(scene);
    drop(scene, key);
    link(scene, key, [scene.outside, '.', '..', '/proc/self/fd', path.join(scene.folder, 'log')]);
  },
  'pipe in place of a file': (scene) => {
    const key = file(scene);
    drop(scene, key);
    execFileSync('mkfifo', [path.join(scene.folder, key)]);
  },
  'two files exchanged': (scene) => {
    const [a, b] = [file(scene), file(scene)];
    put(scene, a, scene.tree.get(b)!);
    put(scene, b, scene.tree.get(a)!);
  },
  'file renamed': (scene) => {
    const key = file(scene);
    renameSync(
      path.join(scene.folder, key),
      path.join(scene.folder, path.dirname(key), strangeName(scene.random)),
    );
  },
  'strange names': (scene) => {
    const place = path.join(
      ['log', `log/${model}`, 'heads', 'objects', 'objects/sha256/ab', 'manifests', ''][
        scene.random.below(7)
      ]!,
    );
    put(scene, path.join(place, strangeName(scene.random)), noise(scene.random, 20));
  },
  'a log by a strange name': (scene) => {
    const key = `log/${strangeName(scene.random)}/000000000001.json`;
    put(scene, key, scene.tree.get(keys.log(model, 1))!);
  },
  'folders below folders': (scene) => {
    const deep = Array.from({ length: 300 }, () => 'd').join('/');
    put(scene, `${['log', 'objects', 'heads'][scene.random.below(3)]}/${deep}/file`, Buffer.from('x'));
  },
  'JSON of other types': (scene) => {
    const key = file(scene, /^(log|manifests|heads|checkpoints)\//);
    put(scene, key, Buffer.from(JSON.stringify(spoil(parse(scene, key), scene.random))));
  },
  'JSON nested deep': (scene) => {
    const key = file(scene, /^(log|manifests|heads)\//);
    const depth = 10 ** (2 + scene.random.below(5));
    const pairs = [
      ['[', ']'],
      ['{"a":', '}'],
      ['[[],', ']'],
    ] as const;
    const [open, close] = pairs[scene.random.below(pairs.length)]!;
    const closed = scene.random.below(2) === 0 ? `1${close.repeat(depth)}` : '';
    const text = open.repeat(depth) + closed;
    put(scene, key, Buffer.from(text));
  },
  'a forged log': (scene) => {
    const log = readLog(scene);
    const at = scene.random.below(log.length);
    log[at] = spoil(log[at] as unknown as Json, scene.random) as unknown as Log[number];
    writeLog(scene, log);
  },
  'a forged log that names a forged manifest': (scene) => {
    const log = readLog(scene);
    const digest = forgeManifest(scene);
    const last = log.at(-1)!;
    const evaluation_set = { id: 'june', sha256: 'e'.repeat(64) };
    const named = { schema: last.schema, actor: last.actor, at: last.at, op_id: 'forged', type: 'evaluate' };
    log.push({
      ...named,
      evaluation_set,
      manifest: digest,
      evaluation: digest,
      seq: log.length + 1,
      prev: null,
    });
    writeLog(scene, log);
  },
  'a hint from the future': (scene) => {
    const seq = [1, 5, 10 ** 6, 999_999_999_999, 10 ** 15, 1e300, -1, 0.5][scene.random.below(8)]!;
    const hint = { schema: 'modelgate.head/1', seq, head: sha256(String(seq)) };
    put(scene, keys.head(model), Buffer.from(JSON.stringify(hint)));
  },
  'an entry far beyond the end': (scene) => {
    const seq = [10 ** 4, 10 ** 9, 999_999_999_999][scene.random.below(3)]!;
    put(scene, keys.log(model, seq), scene.tree.get(keys.log(model, 2))!);
  },
};
