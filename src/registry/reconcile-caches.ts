import { keys } from '../store/keys.ts';
import { checkpointEvery, readCheckpoint, readHint, writeCheckpoint, writeHint } from './caches.ts';
import { logDamaged } from './chain.ts';
import { foldUpTo } from './folded-log.ts';
import type { Registry } from './registry.ts';

/**
 * Writes what a process that was killed after its commit did not: the hint, and the newest checkpoint. Gives the
 * keys that were written; none when all is there. Throws `log_damaged` where a hint knows an entry that is gone: that
 * hint is the only witness, so it stays.
 */
export async function redoCaches(registry: Registry, model: string): Promise<string[]> {
  const { storage } = registry.store;
  const written: string[] = [];
  const hint = await readHint(storage, model);
  const { seq, head } = await registry.state(model);
  if (head === null) return written;
  if (hint !== null && hint.seq > seq) {
    throw logDamaged(
      `The log of ${model} ends at entry ${seq}, but entry ${hint.seq} was once there.`,
      `${storage.url}/${keys.log(model, seq + 1)}`,
    );
  }
  if (hint?.seq !== seq || hint.head !== head) {
    await writeHint(storage, model, { seq, head });
    written.push(keys.head(model));
  }
  const newest = seq - (seq % checkpointEvery);
  if (newest === 0) return written;
  const { head: placed } = await registry.entry(model, newest);
  const found = await readCheckpoint(storage, model, newest);
  if (found?.head === placed) return written;
  await writeCheckpoint(storage, await foldUpTo(storage, model, newest));
  written.push(`checkpoint of ${model} at entry ${newest}`);
  return written;
}
