/**
 * `npm start`: a real model goes from data to production, is watched, and comes back. Every number is measured
 * in this run; every step is a command that works by itself (`npm exec modelgate -- --help`).
 */
import { mkdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { table } from '../../src/cli/terminal.ts';
import { breakBatches } from './story/broken.ts';
import { caller } from './story/call.ts';
import { Chronicle } from './story/chronicle.ts';
import { Pictures } from './story/pictures.ts';
import { serveAndWatch, startFollower } from './story/production.ts';
import { terminalProgress } from './story/progress.ts';

const here = path.dirname(fileURLToPath(import.meta.url));
const model = 'flights-late';
const home = path.join(here, '.modelgate');
const store = path.join(home, 'store');
const config = (name: string) => path.join(here, name);

async function story(signal: AbortSignal): Promise<void> {
  const started = performance.now();
  await freshRegistry();
  const progress = terminalProgress();
  const call = caller({ store, signal, progress });
  const chronicle = new Chronicle({ call, progress, pictures: new Pictures({ home, store }) });

  chronicle.chapter("January's flights become the first version");
  const first = await chronicle.run('run', {}, config('modelgate.yaml'));
  await chronicle.promote(first, ['staging', 'production'], config('modelgate.yaml'));

  chronicle.chapter('A better candidate: three months instead of one, and the weather');
  const weather = await chronicle.run('run', {}, config('candidates/weather.yaml'));
  await chronicle.promote(weather, ['staging', 'production'], config('candidates/weather.yaml'));

  chronicle.chapter('A worse candidate: somebody took the scheduled time away');
  const worse = await chronicle.run('run', {}, config('candidates/no-schedule.yaml'));
  await chronicle.promote(worse, ['staging'], config('candidates/no-schedule.yaml'));

  chronicle.chapter('A twin: the same recipe, retrained on a bootstrap of its rows');
  await chronicle.run('run', {}, config('candidates/twin.yaml'));

  chronicle.chapter('Broken batches: refused before any training');
  const batches = await breakBatches({
    base: config('modelgate.yaml'),
    flights: path.join(here, 'data/flights.parquet'),
    folder: path.join(home, 'broken'),
  });
  for (const batch of batches) await chronicle.refusal(batch.what, batch.config);

  chronicle.chapter('Production: June and July are served and watched');
  const watched = await serveAndWatch({
    chronicle,
    call,
    store,
    model,
    config: config('candidates/weather.yaml'),
    traffic: config('story/traffic.yaml'),
    home,
    since: '2013-06-01',
    until: '2013-08-01',
  });

  chronicle.chapter('The runbook asks for retraining; then a rollback, to see that it works');
  chronicle.note(watched.decision);
  const retrained = await chronicle.run('run', {}, config('candidates/retrained.yaml'));
  const service = await startFollower({
    chronicle,
    call,
    store,
    model,
    config: config('modelgate.yaml'),
    home,
  });
  await chronicle.promote(retrained, ['staging', 'production'], config('candidates/retrained.yaml'));
  await service.follows();
  await chronicle.run(
    'rollback',
    { model, in: 'production', reason: 'a drill' },
    config('candidates/retrained.yaml'),
  );
  await service.follows();
  await service.stop();

  chronicle.chapter('What runs, since when, and why: asked of the registry');
  await chronicle.status(model, config('modelgate.yaml'));
  await chronicle.trace(watched.predictionId, config('candidates/weather.yaml'));
  await chronicle.run('registry verify', { read_data: true }, config('modelgate.yaml'));

  const report = path.join(home, 'report.html');
  await mkdir(home, { recursive: true });
  await writeFile(report, chronicle.html((performance.now() - started) / 1000));
  console.log(`\n${table(['chapter', 'step', 'verdict', 'what came out'], chronicle.rows())}\n`);
  console.log(
    `The whole story took ${((performance.now() - started) / 1000).toFixed(1)} s. Report: ${report}\n`,
  );
  console.log(
    [
      'Try next, in examples/flights:',
      `  npm exec modelgate -- status ${model}`,
      `  npm exec modelgate -- trace ${watched.predictionId}`,
      `  npm exec modelgate -- rollback ${model} --in production --dry-run`,
    ].join('\n'),
  );
}

/** Each start tells the story from an empty registry; what the stages made before is kept and read back. */
async function freshRegistry(): Promise<void> {
  const past = path.join(home, 'past');
  await rm(past, { recursive: true, force: true });
  await mkdir(past, { recursive: true });
  for (const part of ['log', 'heads', 'checkpoints', 'predictions']) {
    const folder = path.join(store, part);
    const there = await stat(folder).then(
      () => true,
      () => false,
    );
    if (there) await rename(folder, path.join(past, part));
  }
}

const stop = new AbortController();
process.once('SIGINT', () => stop.abort(new Error('interrupted')));
process.once('SIGTERM', () => stop.abort(new Error('interrupted')));
try {
  await story(stop.signal);
} catch (error) {
  if (!stop.signal.aborted) throw error;
  console.error('\nStopped. The store is sound; npm start goes on from what is done.');
  process.exitCode = 130;
}
