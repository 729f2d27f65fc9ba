import { canonicalJson, type Json, sha256 } from '../../../src/json.ts';
import { keys } from '../../../src/store/keys.ts';
import { model } from '../world.ts';
import { file, parse, put, type Scene } from './scene.ts';
import { spoil } from './strange.ts';

export type Log = { seq: number; prev: string | null; [member: string]: unknown }[];

export function readLog(scene: Scene): Log {
  const log: Log = [];
  for (let seq = 1; scene.tree.has(keys.log(model, seq)); seq += 1) {
    log.push(parse(scene, keys.log(model, seq)) as unknown as Log[number]);
  }
  return log;
}

/** Writes the log as its forger would: canonical, chained, with a hint that fits. */
export function writeLog(scene: Scene, log: Log): void {
  let prev: string | null = null;
  for (const [index, entry] of log.entries()) {
    const whole = typeof entry === 'object' && entry !== null;
    if (whole && index > 0) entry.prev = prev;
    const text: string = canonicalJson(entry);
    prev = sha256(text);
    put(scene, keys.log(model, index + 1), Buffer.from(text));
  }
  const hint = { schema: 'modelgate.head/1', seq: log.length, head: prev };
  put(scene, keys.head(model), Buffer.from(canonicalJson(hint)));
}

/** Stores a manifest that has its digest and otherwise whatever a stranger likes. */
export function forgeManifest(scene: Scene): string {
  const { random } = scene;
  const manifest = parse(scene, file(scene, /^manifests\//)) as Record<string, Json>;
  const depth = 10 ** (1 + random.below(6));
  const digests = Array.from({ length: 20_000 }, (_, n) => [`i${n}`, sha256(String(n))] as const);
  const texts = [
    () => JSON.stringify(spoil(manifest, random)),
    () =>
      JSON.stringify(manifest).replace(
        /"facts":\{.*\}/,
        `"facts":{"a":${'['.repeat(depth)}${']'.repeat(depth)}}`,
      ),
    () => JSON.stringify({ ...manifest, inputs: Object.fromEntries(digests) }),
    () =>
      JSON.stringify({
        ...manifest,
        files: digests.slice(0, 9000).map(([name, digest]) => ({ name, size: 1, sha256: digest })),
      }),
  ];
  const bytes = Buffer.from(texts[random.below(texts.length)]!());
  const digest = sha256(bytes);
  put(scene, keys.manifest(digest), bytes);
  return digest;
}
