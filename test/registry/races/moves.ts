import { UserError } from '../../../src/errors.ts';
import { silentLogger } from '../../../src/logger.ts';
import { lock } from '../../../src/registry/locks.ts';
import { Registry } from '../../../src/registry/registry.ts';
import { environmentOf } from '../../../src/registry/state.ts';
import { promote, rollback } from '../../../src/rollout/move.ts';
import { FileSystemStorage } from '../../../src/store/file-system.ts';
import { Store } from '../../../src/store/store.ts';
import { alice, environments, model, openRegistry, promotion, registerVersions } from '../world.ts';

/** A store whose listings show nothing, as an old one of a careless bucket may. */
class Unlisted extends FileSystemStorage {
  override async *list() {}
  override async *folders() {}
}

/**
 * Moves one after another, each by a process of its own that opens the log cold, and told twice: the second time must
 * change nothing. A move on what an environment was must be refused. No listing may be believed. Gives what is wrong.
 */
export async function moveTwice(folder: string): Promise<string[]> {
  const open = () =>
    new Registry({ store: new Store(new Unlisted(folder)), now: () => new Date(), logger: silentLogger });
  const problems: string[] = [];
  const staging = { ...promotion, environments, actor: alice };
  const held = { model, environment: 'production', environments, reason: null, actor: alice, ttl: null };
  const moves: Record<string, (op_id: string) => Promise<{ seq: number | null }>> = {
    first: (op_id) => promote(open(), { ...staging, op_id, version: 1, expected_generation: 0 }),
    second: (op_id) => promote(open(), { ...staging, op_id, version: 2, expected_generation: 1 }),
    lock: async (op_id) => (await lock(open(), { ...held, op_id })).entry ?? { seq: null },
    back: (op_id) => rollback(open(), { ...staging, op_id, to: null, expected_generation: 2 }),
  };
  await registerVersions(open(), 3);
  const kept = open();
  const { seq: before } = await kept.state(model);
  for (const [name, move] of Object.entries(moves)) {
    const told = [await attempt(() => move(name)), await attempt(() => move(name))];
    if (told[0] !== told[1]) problems.push(`${name}: first ${told[0]}, then ${told[1]}`);
  }
  const late = { ...staging, op_id: 'late', version: 3, expected_generation: 2 };
  const refusal = await attempt(() => promote(open(), late));
  if (refusal !== 'generation_moved') problems.push(`a move that came too late: ${refusal}`);
  const state = await openRegistry(folder).state(model);
  const { generation, version } = environmentOf(state, 'staging');
  if (generation !== 3 || version !== 1) problems.push(`version ${version} at generation ${generation}`);
  const behind = state.seq - (await kept.state(model)).seq;
  if (behind !== 0) problems.push(`a process that has known the log for long is ${behind} entries behind`);
  const entries = state.seq - before;
  if (entries !== Object.keys(moves).length) problems.push(`${entries} entries`);
  return problems;
}

/** The entry's number, or the code of the refusal. */
async function attempt(work: () => Promise<{ seq: number | null }>): Promise<string> {
  try {
    return `entry ${(await work()).seq}`;
  } catch (error) {
    if (error instanceof UserError) return error.code;
    throw error;
  }
}
