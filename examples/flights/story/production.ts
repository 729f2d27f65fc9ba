import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { openDuckDb } from '../../../src/data/duckdb.ts';
import { identifier } from '../../../src/data/engine.ts';
import { type InferColumn, infer } from '../../../src/serving/client.ts';
import { openStorage } from '../../../src/store/open.ts';
import { Store } from '../../../src/store/store.ts';
import type { Caller, Result } from './call.ts';
import type { Chronicle } from './chronicle.ts';
import { type Service, startService } from './service.ts';

const batchRows = 500;

export interface Watched {
  /** What the runbook decided, in its words. */
  decision: string;
  /** One of the logged predictions, for `trace`. */
  predictionId: string;
}

/** A serving process that is watched while production moves. */
export interface Follower {
  /** Waits until it answers with the version that production names now, and tells it. */
  follows(): Promise<void>;
  stop(): Promise<void>;
}

/** Serves the real flights of a window over HTTP, then judges what was served. */
export async function serveAndWatch(options: {
  chronicle: Chronicle;
  call: Caller;
  store: string;
  model: string;
  config: string;
  /** The configuration whose features the requests carry. */
  traffic: string;
  home: string;
  since: string;
  until: string;
}): Promise<Watched> {
  const { chronicle, model, config, since, until } = options;
  const made = await chronicle.run('features', {}, options.traffic);
  const logDirectory = path.join(options.home, 'prediction-log');
  const service = await startService({ model, config, store: options.store, logDirectory });
  let sent: Sent;
  try {
    sent = await sendTraffic({ ...options, service, features: String(made.outputs.features) });
  } finally {
    await service.stop();
  }
  chronicle.event(
    'serve',
    sent.seconds,
    `${sent.rows} flights of ${since} to ${until} in ${sent.requests} requests, all answered by version ${sent.version}`,
  );

  const watched = await chronicle.run('monitor', { model, environment: 'production', since, until }, config);
  await chronicle.drift(watched);
  const report = tellDrift(chronicle, watched);
  return { decision: report, predictionId: sent.predictionId };
}

export async function startFollower(options: {
  chronicle: Chronicle;
  call: Caller;
  store: string;
  model: string;
  config: string;
  home: string;
}): Promise<Follower> {
  const { chronicle, model } = options;
  const service = await startService({ ...options, logDirectory: path.join(options.home, 'prediction-log') });
  return {
    async follows() {
      const started = performance.now();
      const wanted = await productionVersion(options);
      while ((await servedVersion(service.url, model)) !== wanted) {
        if (performance.now() - started > 30_000)
          throw new Error('the serving process does not follow the registry');
        await sleep(50);
      }
      const seconds = (performance.now() - started) / 1000;
      chronicle.event('serve', seconds, `the serving process answers with version ${wanted}`);
    },
    stop: () => service.stop(),
  };
}

interface Sent {
  rows: number;
  requests: number;
  seconds: number;
  version: number;
  predictionId: string;
}

async function sendTraffic(options: {
  store: string;
  model: string;
  since: string;
  until: string;
  home: string;
  service: Service;
  features: string;
}): Promise<Sent> {
  const store = new Store(await openStorage(options.store));
  const engine = await openDuckDb({ workDirectory: options.home });
  const { url } = options.service;
  try {
    await engine.addFile('rows', await store.manifestFile(options.features, 'features.parquet'));
    const metadata = (await (await fetch(`${url}/v2/models/${options.model}`)).json()) as {
      inputs: { name: string; datatype: string }[];
    };
    const names = metadata.inputs.map(({ name }) => name);
    const window = `predict_at >= TIMESTAMP '${options.since}' AND predict_at < TIMESTAMP '${options.until}'`;
    const rows = await engine.rows(
      `SELECT flight_id, strftime(predict_at, '%Y-%m-%dT%H:%M:%SZ') AS predict_at, ${names.map(identifier).join(', ')}
       FROM rows WHERE ${window} ORDER BY predict_at, flight_id`,
    );
    const started = performance.now();
    const sent: Sent = { rows: 0, requests: 0, seconds: 0, version: 0, predictionId: '' };
    for (let at = 0; at < rows.length; at += batchRows) {
      const batch = rows.slice(at, at + batchRows);
      const columns: InferColumn[] = metadata.inputs.map(({ name, datatype }) => ({
        name,
        type: datatype === 'BYTES' ? 'string' : 'float32',
        values: batch.map((row) => row[name] ?? null),
      }));
      const answer = await infer({
        url,
        model: options.model,
        columns,
        eventTimes: batch.map((row) => String(row.predict_at)),
        rowKeys: batch.map((row) => String(row.flight_id)),
      });
      sent.rows += batch.length;
      sent.requests++;
      sent.version = answer.version;
      sent.predictionId = answer.predictionIds[0] ?? sent.predictionId;
    }
    return { ...sent, seconds: (performance.now() - started) / 1000 };
  } finally {
    await engine.close();
  }
}

/** The issues that a repository would get. Gives the runbook's decision. */
function tellDrift(chronicle: Chronicle, watched: Result): string {
  const alerts = watched.outputs.alerts as { title: string; body?: string }[];
  const actions = watched.outputs.actions as { action: string; reason: string }[];
  for (const alert of alerts) {
    chronicle.note(alert.title);
    if (alert.body !== undefined) chronicle.details(`The issue: ${alert.title}`, alert.body);
  }
  return actions.map(({ action, reason }) => `${action}: ${reason}`).join('\n') || 'nothing to do';
}

async function productionVersion(options: { call: Caller; model: string; config: string }): Promise<number> {
  const status = await options.call('status', { model: options.model }, { config: options.config });
  const environments = status.outputs.environments as { environment: string; version: number }[];
  return environments.find(({ environment }) => environment === 'production')?.version ?? 0;
}

async function servedVersion(url: string, model: string): Promise<number> {
  const answer = (await (await fetch(`${url}/v2/models/${model}`)).json()) as { versions?: string[] };
  return Number(answer.versions?.[0] ?? 0);
}
