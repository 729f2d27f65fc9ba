/** One step of `bench:monitoring -- blocks` in a process of its own: FOLDER training|days|check DAYS. */
// first, as in the command line
import '../../src/zod-interpreted.ts';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { openDuckDb } from '../../src/data/duckdb.ts';
import type { SqlEngine } from '../../src/data/engine.ts';
import { compareBlocks } from '../../src/monitoring/compare-blocks.ts';
import { MonitoringPolicy } from '../../src/monitoring/policy.ts';
import { trainingBlocks } from '../../src/monitoring/reference-blocks.ts';
import { servedDays } from '../../src/monitoring/served-blocks.ts';
import { inputPair } from '../../src/monitoring/served-pairs.ts';
import { FileSystemStorage } from '../../src/store/file-system.ts';
import { Store } from '../../src/store/store.ts';
import { dayOf, inputs, reference, trainingFile, where } from './prediction-log.ts';

const [folder = '', step = '', days = '0'] = process.argv.slice(2);
const store = new Store(new FileSystemStorage(path.join(folder, 'store')));
const policy = MonitoringPolicy.parse({});
/** What is stored is read without an engine: it would tell. */
const nobody = new Proxy({} as SqlEngine, {
  get: () => {
    throw new Error('a row was read');
  },
});
const engine = step === 'check' ? nobody : await openDuckDb({ workDirectory: path.join(folder, 'work') });
const window = { since: new Date(dayOf(0)), until: new Date(dayOf(Number(days))) };
const before = process.cpuUsage();
const training = async () => {
  if (step === 'training') await engine.addFile('training', trainingFile(folder), 'parquet');
  return trainingBlocks(store, engine, { ...reference, time: 'at' });
};
const served = () => servedDays({ store, engine, ...where, ...window, inputs, threshold: 0.5 });
if (step === 'training') await training();
if (step === 'days') await served();
if (step === 'check') {
  const pair = inputPair(await training(), await served(), { inputs, policy });
  const report = await compareBlocks(pair, {
    ...{ policy, importance: null, names: { reference: 'training rows', current: 'served' } },
    dimensions: async () => [],
  });
  if (report.columns.length !== inputs.length) throw new Error('columns are missing');
}
const { user, system } = process.cpuUsage(before);
if (step !== 'check') await engine.close();
const all = process.cpuUsage();
console.log(
  JSON.stringify({
    cpu: (user + system) / 1e6,
    process: (all.user + all.system) / 1e6,
    memory: peakMemory(),
  }),
);

/** MiB of this process alone: `resourceUsage` begins with what its parent had. */
function peakMemory(): number {
  const [, kilobytes] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
  return Number(kilobytes) / 1024;
}
