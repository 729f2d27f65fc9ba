import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { UserError } from '../../../src/errors.ts';
import { verify } from '../../../src/registry/verify.ts';
import { seededRandom } from '../../../src/stats/random.ts';
import { FileSystemStorage } from '../../../src/store/file-system.ts';
import { model, openRegistry } from '../world.ts';
import { mutations } from './mutations.ts';
import { fillStore, readTree, Spoilable } from './specimen.ts';

/** A verify may take so many seconds of processor time, and so many by the clock of a machine that others use too. */
const work = 5;
const patience = 60;
const secret = 'nobody reads this';

export interface Survival {
  mutants: number;
  answers: Record<string, number>;
  /** The slowest verify, in seconds of processor time. */
  slowest: number;
  /** The most memory that this process ever had, in MiB. */
  memory: number;
  failures: string[];
}

/**
 * Spoils a registry in seeded ways, one to three at once, and verifies it. No mutant may crash or hang the
 * verifier, make it tell what stands outside of the store, or be called sound and then not be readable.
 */
export async function surviveMutants(options: {
  folder: string;
  count: number;
  seed: number;
  tell?: (done: number) => void;
}): Promise<Survival> {
  const { folder, count, seed, tell } = options;
  const store = path.join(folder, 'store');
  const outside = path.join(folder, 'outside');
  await fillStore(store);
  const tree = readTree(store);
  const spoilable = new Spoilable(store, tree);
  mkdirSync(outside);
  writeFileSync(path.join(outside, 'secret'), secret);
  const names = Object.keys(mutations);
  const survival: Survival = { mutants: 0, answers: {}, slowest: 0, memory: 0, failures: [] };
  for (; survival.mutants < count; survival.mutants += 1) {
    const random = seededRandom(seed * 1_000_003 + survival.mutants);
    spoilable.restore();
    // each way in turn, so that every one is there in a short run too; then up to two more
    const chosen = [names[survival.mutants % names.length]!];
    for (let more = random.below(3); more > 0; more -= 1) chosen.push(names[random.below(names.length)]!);
    for (const [index, name] of chosen.entries()) {
      try {
        mutations[name]!({ folder: store, outside, tree, random });
      } catch (error) {
        if (index === 0) throw error;
        // what an earlier one did stands in its way
      }
    }
    const wrong = await examine(store, survival);
    if (wrong !== null) survival.failures.push(`mutant ${survival.mutants} (${chosen.join(', ')}): ${wrong}`);
    tell?.(survival.mutants + 1);
  }
  survival.memory = Math.round(process.resourceUsage().maxRSS / 1024);
  return survival;
}

/** What went wrong, or null. */
async function examine(store: string, survival: Survival): Promise<string | null> {
  const began = process.cpuUsage();
  const end = new AbortController();
  try {
    const result = await Promise.race([
      verify(new FileSystemStorage(store), { anchor: null, read_data: true }),
      sleep(patience * 1000, null, { signal: end.signal }),
    ]);
    const { user, system } = process.cpuUsage(began);
    const seconds = (user + system) / 1e6;
    survival.slowest = Math.max(survival.slowest, seconds);
    if (result === null) return `no answer in ${patience} s`;
    if (seconds > work) return `${seconds.toFixed(1)} s of work`;
    survival.answers[result.answer] = (survival.answers[result.answer] ?? 0) + 1;
    const told = JSON.stringify(result);
    if (told.includes(secret)) return 'it tells what stands outside of the store';
    if (told.length > 2_000_000) return `an answer of ${told.length} characters`;
    if (result.answer === 'unreachable') return 'it says that the store is not there';
    if (result.answer === 'sound') await openRegistry(store).state(model);
    return null;
  } catch (error) {
    const kind = error instanceof UserError ? `refused (${error.code})` : 'crashed';
    return `${kind}: ${error instanceof Error ? error.stack : String(error)}`;
  } finally {
    end.abort();
  }
}
