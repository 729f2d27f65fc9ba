import path from 'node:path';
import { silentLogger } from '../../../src/logger.ts';
import { Registry } from '../../../src/registry/registry.ts';
import { type Verification, verify } from '../../../src/registry/verify.ts';
import type { Storage } from '../../../src/store/storage.ts';
import { Store } from '../../../src/store/store.ts';
import { model, registerVersions } from '../world.ts';
import { type Operation, Operation as Recorded } from './history.ts';
import { findLies } from './judge.ts';
import { openPlace, type Place, patient } from './place.ts';
import { type ClientSpec, runTogether } from './process.ts';
import { checkRegister } from './register-check.ts';

const environment = 'staging';

export interface Race {
  /** An empty store. This process, which sets it up and judges, reaches it by its own environment. */
  place: Place;
  /** What is different for the racing processes: the address of a proxy. */
  env?: Readonly<Record<string, string>>;
  processes: number;
  /** In all. */
  operations: number;
  seed: number;
}

export interface RaceResult {
  history: Operation[];
  /** Generations made, by the log. */
  generations: number;
  /** Against the log: see `findLies`. */
  lies: string[];
  /** Against any order of the operations: see `checkRegister`. */
  disorder: string[];
  verification: Verification;
  /** From the signal to the last answer. */
  seconds: number;
}

/** Lets processes promote and ask at once on a new registry, and judges what they were told. */
export async function runRace(race: Race): Promise<RaceResult> {
  const history = await recordRace(race);
  const storage = await openPlace({ ...race.place, patience: patient });
  const log = await registryOver(storage).entries(model);
  const times = history.flatMap(({ called, returned }) => [called, returned]);
  return {
    history,
    generations: log.filter(({ entry }) => entry.type === 'promote').length,
    lies: findLies(history, log, environment),
    disorder: checkRegister(history),
    verification: await verify(storage, { anchor: null, read_data: true }),
    seconds: (Math.max(...times) - Math.min(...times)) / 1e9,
  };
}

/** The race alone: on a store that keeps no rules, there may be nothing left to judge but the history. */
export async function recordRace({
  place,
  env = {},
  processes,
  operations,
  seed,
}: Race): Promise<Operation[]> {
  await registerVersions(registryOver(await openPlace({ ...place, patience: patient })), processes);
  const origin = String(process.hrtime.bigint());
  const specs = Array.from({ length: processes }, (_, client): ClientSpec => {
    const share = Math.floor(operations / processes) + (client < operations % processes ? 1 : 0);
    return { place, model, environment, client, operations: share, seed: seed * 1000 + client, origin };
  });
  const lines = await runTogether({ script: path.join(import.meta.dirname, 'client.ts'), specs, env });
  return lines.flat().map((line) => Recorded.parse(line));
}

const registryOver = (storage: Storage) =>
  new Registry({ store: new Store(storage), now: () => new Date(), logger: silentLogger });
