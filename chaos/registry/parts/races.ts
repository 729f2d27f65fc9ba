/**
 * Concurrent promoters can't break the registry: races of processes on folders and S3 servers, their histories judged
 * by the log, a versioned-register check and porcupine; lost and false answers; stores that break the rules, which
 * both checkers must see.
 *
 *   npm run chaos:registry -- races [--on folder,versitygw,moto,broken,bad-day]
 *     [--processes 64] [--operations 512] [--faulty 10000] [--seed 1]
 */
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import type { PartOptions } from '../../../scripts/parts.ts';
import { badDay, raceFaults } from '../../../test/registry/races/faults.ts';
import { brisk, type Place, patient, stubborn } from '../../../test/registry/races/place.ts';
import { type ProxyOptions, seeded, startFaultProxy } from '../../../test/store/servers/fault-proxy.ts';
import {
  bucket,
  environmentFor,
  type S3Server,
  servers,
  startS3,
} from '../../../test/store/servers/s3-server.ts';
import { brokenStore, type RaceSize, races, throughFaults } from '../races/judged.ts';

interface Options extends RaceSize {
  /** Operations through faults. */
  faulty: number;
}

export async function run({ args }: PartOptions): Promise<boolean> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      on: { type: 'string', default: 'folder,versitygw,moto,broken,bad-day' },
      processes: { type: 'string', default: '64' },
      operations: { type: 'string', default: '512' },
      faulty: { type: 'string', default: '10000' },
      seed: { type: 'string', default: '1' },
    },
  });
  const options: Options = {
    processes: Number(values.processes),
    operations: Number(values.operations),
    faulty: Number(values.faulty),
    seed: Number(values.seed),
  };
  const folder = mkdtempSync(path.join(os.tmpdir(), 'modelgate-races-'));
  const held: boolean[] = [];
  try {
    for (const name of values.on.split(',')) {
      const proof = stores[name];
      if (proof === undefined) throw new Error(`--on ${name}: there are ${Object.keys(stores).join(', ')}`);
      held.push(await proof(path.join(folder, name), options));
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return held.every((one) => one);
}

const stores: Record<string, (folder: string, options: Options) => Promise<boolean>> = {
  folder: raceFolder,
  versitygw: (folder, options) => onServer('versitygw', folder, (server) => raceServer(server, options)),
  moto: (folder, options) => onServer('moto', folder, (server) => raceServer(server, options)),
  broken: (folder, options) => onServer('versitygw', folder, (server) => breakRules(server, options)),
  'bad-day': (folder, options) => onServer('versitygw', folder, (server) => badDayOn(server, options)),
};

function raceFolder(folder: string, options: Options): Promise<boolean> {
  const cache = path.join(folder, 'cache');
  const place = (name: string): Place => ({ url: path.join(folder, name), cache, patience: patient });
  return races('folder', (name) => ({ place: place(name) }), options);
}

/** A running S3 server, and places in it. */
interface Served {
  server: S3Server;
  place(prefix: string, patience?: Place['patience']): Place;
}

/** Runs a proof on a server of this kind; true, with the reason, where there is none. */
async function onServer(
  kind: S3Server['kind'],
  folder: string,
  work: (served: Served) => Promise<boolean>,
): Promise<boolean> {
  if (!servers().includes(kind)) {
    console.log(`${kind}: skipped, it is not installed (scripts/install-tools.sh --all)`);
    return true;
  }
  const server = await startS3(kind);
  Object.assign(process.env, server.environment);
  const place: Served['place'] = (prefix, patience = patient) => ({
    url: `s3://${bucket}/${prefix}`,
    cache: path.join(folder, 'cache'),
    patience,
  });
  try {
    return await work({ server, place });
  } finally {
    await server.stop();
  }
}

/** Gives the environment of a client behind a proxy. */
async function behind(
  { server }: Served,
  options: Omit<ProxyOptions, 'upstream'>,
  work: (env: Record<string, string>) => Promise<boolean>,
): Promise<boolean> {
  const { port, counts, stop } = await startFaultProxy({ upstream: server.port, ...options });
  try {
    return await work(environmentFor(port));
  } finally {
    stop();
    const faults = [...counts]
      .filter(([fault]) => fault !== 'none')
      .map(([fault, count]) => `${count} ${fault}`);
    if (faults.length > 0)
      console.log(`  of ${counts.get('none')} clean requests beside: ${faults.join(', ')}`);
  }
}

async function raceServer(served: Served, options: Options): Promise<boolean> {
  const { server, place } = served;
  const plain = await races(server.kind, (name) => ({ place: place(name) }), options);
  const faulty = await behind(served, { fault: raceFaults(options.seed) }, (env) =>
    races(
      `${server.kind} behind faults`,
      (name) => ({ place: place(`faulty-${name}`, stubborn), env }),
      options,
    ),
  );
  return plain && faulty;
}

/** Stores that really break the rules. */
async function breakRules(served: Served, { seed }: Options): Promise<boolean> {
  const { server, place } = served;
  const few = { processes: 8, operations: 64, seed };
  const drop = { headers: ['if-none-match'], secret: server.environment.AWS_SECRET_ACCESS_KEY ?? '' };
  const careless = await behind(served, { drop }, (env) =>
    brokenStore('a store that ignores If-None-Match', { place: place('careless'), env, ...few }),
  );
  const late = await behind(served, { lag: 15_000 }, (env) =>
    brokenStore('a store with a replica that lags 15 s', { place: place('late'), env, ...few }),
  );
  return careless && late;
}

function badDayOn(served: Served, { faulty, seed }: Options): Promise<boolean> {
  return behind(served, { fault: seeded(seed, badDay) }, (env) =>
    throughFaults(served.place('bad-day', brisk), env, faulty),
  );
}
