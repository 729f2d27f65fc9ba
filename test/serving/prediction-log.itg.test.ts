import { spawn } from 'node:child_process';
import { appendFile, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Signature } from '../../src/evaluation/predictor.ts';
import { findPrediction } from '../../src/serving/find-prediction.ts';
import { newId } from '../../src/serving/ids.ts';
import { segmentInfo } from '../../src/serving/log-schema.ts';
import {
  type LoggedRequest,
  PredictionLog,
  type PredictionLogOptions,
  readPredictions,
} from '../../src/serving/prediction-log.ts';
import { listSegments } from '../../src/serving/read-predictions.ts';
import { keys } from '../../src/store/keys.ts';
import { openStorage } from '../../src/store/open.ts';
import { engineIn, manifestOf, RecordingLogger, signature, temporaryFolder } from './helpers.ts';

const where = { model: 'late', environment: 'production' };

async function bed() {
  const temporary = await temporaryFolder();
  const storage = await openStorage(path.join(temporary.folder, 'store'));
  await storage.create(keys.head('late'), Buffer.from('{}')); // a store is there once a model is registered
  const engine = engineIn(temporary.folder);
  const logger = new RecordingLogger();
  const folder = path.join(temporary.folder, 'spool');
  const open = (options: Partial<PredictionLogOptions> = {}) =>
    PredictionLog.open({ folder, storage, engine, ...where, logger, ...options });
  const rows = async (select: string, bounds: { since?: Date; until?: Date } = {}) => {
    await using session = Object.assign(await engine(), {
      [Symbol.asyncDispose]() {
        return (this as unknown as { close(): Promise<void> }).close();
      },
    });
    const read = await readPredictions({
      storage,
      engine: session,
      ...where,
      since: bounds.since ?? null,
      until: bounds.until ?? null,
    });
    return { read, rows: await session.rows(select) };
  };
  return { ...temporary, storage, engine, logger, spool: folder, open, rows };
}

function request(change: Partial<LoggedRequest> = {}): LoggedRequest {
  const now = Date.now();
  return {
    predictionIds: [newId(now), newId(now)],
    traceId: 'trace-1',
    arrivedAtMs: now,
    eventTimes: [Date.UTC(2013, 5, 1, 10), Date.UTC(2013, 6, 1, 10)],
    rowKeys: ['UA-1', 'UA-2'],
    version: 3,
    manifest: manifestOf(3),
    generation: 2,
    signature,
    features: { distance: [1.5, null], hour: [7, 8], carrier: ['UA', null], holiday: [true, false] },
    output: Float64Array.of(0.25, 0.1),
    latencySeconds: 0.002,
    ...change,
  };
}

describe('PredictionLog', () => {
  it('[SRV-2] keeps inputs, outputs, version and correlation id of every prediction, by event day', async () => {
    await using here = await bed();
    const log = await here.open();
    const sent = request();
    log.append(sent);
    await log.close();
    expect(log.status()).toMatchObject({ writtenRows: 2, pendingRows: 0, segmentsClosed: 1, failures: 0 });
    const segments = await listSegments(here.storage, where.model, where.environment);
    expect(segments.map(({ day }) => day)).toEqual(['2013-06-01', '2013-07-01']);
    const { rows, read } = await here.rows('SELECT * FROM predictions ORDER BY "row"');
    expect(rows[0]).toEqual({
      prediction_id: sent.predictionIds[0],
      row: 0,
      row_key: 'UA-1',
      event_time: '2013-06-01T10:00:00.000Z',
      arrived_at: new Date(sent.arrivedAtMs).toISOString(),
      trace_id: 'trace-1',
      ...where,
      version: 3,
      manifest: manifestOf(3),
      generation: 2,
      output: 0.25,
      latency_seconds: 0.002,
      distance: 1.5,
      hour: 7,
      carrier: 'UA',
      holiday: true,
    });
    expect(rows[1]).toMatchObject({ distance: null, carrier: null, holiday: false });
    expect(read.features.map(({ name }) => name)).toEqual(['distance', 'hour', 'carrier', 'holiday']);
    expect(await readdir(path.join(here.spool, 'late', 'production'))).toEqual([]);
  });

  it('reads only the event times asked for, and an empty log as an empty view', async () => {
    await using here = await bed();
    expect((await here.rows('SELECT count(*) AS n FROM predictions')).rows).toEqual([{ n: 0 }]);
    const log = await here.open();
    log.append(request());
    await log.close();
    const june = { since: new Date('2013-06-01T10:00:00Z'), until: new Date('2013-07-01T10:00:00Z') };
    const { rows, read } = await here.rows('SELECT row_key FROM predictions', june);
    expect(rows).toEqual([{ row_key: 'UA-1' }]);
    expect(read.segments).toBe(2); // the day of the bound is opened, its rows are left out
  });

  it('holds versions with other inputs side by side, also inputs named like columns of the log', async () => {
    await using here = await bed();
    const log = await here.open();
    log.append(request());
    const other: Signature = {
      ...signature,
      inputs: [
        { name: 'Version', type: 'string' },
        { name: 'distance', type: 'string' },
      ],
    };
    log.append(
      request({
        version: 4,
        manifest: manifestOf(4),
        signature: other,
        features: { Version: ['a', 'b'], distance: ['far', ''] },
      }),
    );
    await log.close();
    const { rows } = await here.rows(
      'SELECT version, "input_Version" AS named, distance, carrier FROM predictions ORDER BY version, "row"',
    );
    expect(rows).toEqual([
      { version: 3, named: null, distance: '1.5', carrier: 'UA' },
      { version: 3, named: null, distance: null, carrier: null },
      { version: 4, named: 'a', distance: 'far', carrier: null },
      { version: 4, named: 'b', distance: '', carrier: null },
    ]);
  });

  it('gives back any text and number exactly', async () => {
    await using here = await bed();
    const text = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 20 }).filter((value) => !value.includes('\0')),
      fc.constantFrom(
        '',
        ' ',
        '007',
        'null',
        'NULL',
        '1e3',
        '%2c',
        '%',
        'x',
        '"',
        "'",
        'a,b',
        'a\nb',
        'a\r\nb',
        '\\N',
        'é',
        '😀',
        '=1+1',
      ),
    );
    const values = fc.sample(
      fc.tuple(text, fc.double({ noNaN: true, noDefaultInfinity: true }), fc.maxSafeInteger()),
      { numRuns: 300, seed: 1 },
    );
    const types = [
      { name: 'a "text", %', type: 'string' as const },
      { name: 'number', type: 'float64' as const },
      { name: 'whole', type: 'int64' as const },
    ];
    const log = await here.open();
    const now = Date.now();
    log.append(
      request({
        predictionIds: values.map(() => newId(now)),
        eventTimes: values.map(() => now),
        rowKeys: undefined,
        signature: { ...signature, inputs: types },
        features: {
          'a "text", %': values.map(([each]) => each),
          number: values.map(([, each]) => each),
          whole: values.map(([, , each]) => each),
        },
        output: Float64Array.from(values, ([, each]) => each),
      }),
    );
    await log.close();
    const { rows } = await here.rows(
      'SELECT "a ""text"", %" AS t, number AS n, whole AS w, output AS o FROM predictions ORDER BY prediction_id',
    );
    expect(rows).toEqual(values.map(([t, n, w]) => ({ t, n: n + 0, w, o: n + 0 })));
  });

  it('logs a keyed hash of personal inputs', async () => {
    await using here = await bed();
    const log = await here.open({ personal: ['carrier', 'row_key', 'hour'], hashKey: 'key' });
    log.append(
      request({
        features: { distance: [1, 2], hour: [7, 7], carrier: ['UA', null], holiday: [true, false] },
      }),
    );
    await log.flush();
    const [open] = await readdir(path.join(here.spool, 'late', 'production'));
    expect(open).toMatch(/\.ndjson$/);
    await log.close();
    const { rows } = await here.rows(
      'SELECT carrier, row_key, hour, distance FROM predictions ORDER BY "row"',
    );
    expect(rows[0]).toMatchObject({
      carrier: expect.stringMatching(/^hmac:[0-9a-f]{32}$/),
      row_key: expect.stringMatching(/^hmac:/),
      distance: 1,
    });
    expect(rows[0]?.hour).toBe(rows[1]?.hour);
    expect(rows[1]?.carrier).toBeNull();
  });

  it('closes a segment by size while others are written', async () => {
    await using here = await bed();
    const log = await here.open({ segmentBytes: 2000 });
    for (let count = 0; count < 20; count += 1) {
      log.append(request());
      await log.flush();
    }
    await log.close();
    expect(log.status().segmentsClosed).toBeGreaterThan(3);
    expect((await here.rows('SELECT count(DISTINCT prediction_id) AS n FROM predictions')).rows).toEqual([
      { n: 40 },
    ]);
  });

  it('keeps a segment that the store does not take, and closes it at the next start', async () => {
    await using here = await bed();
    const log = await here.open({
      engine: async () => {
        throw new Error('no engine today');
      },
    });
    log.append(request());
    await log.close();
    expect(log.status().lastError).toBe('no engine today');
    await (await here.open()).close();
    expect((await here.rows('SELECT count(*) AS n FROM predictions')).rows).toEqual([{ n: 2 }]);
  });

  it('closing the same segment twice makes nothing new, and a torn last line is left out', async () => {
    await using here = await bed();
    const folder = path.join(here.spool, 'late', 'production');
    const log = await here.open();
    log.append(request());
    await log.flush();
    const [name = ''] = await readdir(folder);
    await appendFile(path.join(folder, name), '{"kind":"prediction","predic');
    const bytes = await readFile(path.join(folder, name));
    await log.close();
    const before = await listSegments(here.storage, where.model, where.environment);
    await writeFile(path.join(folder, name), bytes); // as if it had been killed before removing it
    await (await here.open()).close();
    expect(await listSegments(here.storage, where.model, where.environment)).toEqual(before);
    expect(here.logger.lines.filter((line) => /1 torn lines/.test(line))).toHaveLength(2);
    expect((await here.rows('SELECT count(*) AS n FROM predictions')).rows).toEqual([{ n: 2 }]);
  });

  it('[SRV-2] kill -9 loses nothing that was flushed; the next start makes it readable', async () => {
    await using here = await bed();
    const said: string[] = [];
    for (let round = 0; round < 3; round += 1) {
      const child = spawn(
        process.execPath,
        [path.join(import.meta.dirname, 'log-writer.ts'), here.spool, path.join(here.folder, 'store')],
        {
          stdio: ['ignore', 'pipe', 'inherit'],
        },
      );
      let text = '';
      const enough = new Promise<void>((resolve) => {
        child.stdout.on('data', (chunk: Buffer) => {
          text += chunk.toString();
          if (text.split('\n').length > 40 + 20 * round) resolve();
        });
      });
      const gone = new Promise((resolve) => child.once('exit', resolve));
      await Promise.race([enough, gone]);
      child.kill('SIGKILL');
      await gone;
      said.push(...text.split('\n').filter((id) => id.length === 36));
    }
    expect(said.length).toBeGreaterThan(100);
    await (await here.open()).close();
    const { rows } = await here.rows('SELECT prediction_id FROM predictions');
    const logged = new Set(rows.map((row) => row.prediction_id));
    expect(said.filter((id) => !logged.has(id))).toEqual([]);
    expect(logged.size).toBe(rows.length);
  });

  it('leaves the files of a process that still runs alone', async () => {
    await using here = await bed();
    const log = await here.open();
    log.append(request());
    await log.flush();
    await (await here.open()).close();
    expect(await listSegments(here.storage, where.model, where.environment)).toEqual([]);
    await log.close();
    expect(await listSegments(here.storage, where.model, where.environment)).toHaveLength(2);
  });
});

describe('findPrediction', () => {
  it('finds by prediction id, by correlation id, and in the open segment', async () => {
    await using here = await bed();
    const first = await here.open();
    const sent = request();
    first.append(sent);
    await first.close();
    const log = await here.open();
    const fresh = request({ traceId: 'trace-2' });
    log.append(fresh);
    await log.flush();
    const engine = await here.engine();
    const find = (id: string) =>
      findPrediction({
        storage: here.storage,
        engine,
        model: 'late',
        environments: ['staging', 'production'],
        spool: here.spool,
        id,
      });
    try {
      expect((await find(sent.predictionIds[1]!))?.log).toMatchObject({ row: 1, row_key: 'UA-2' });
      expect((await find('trace-1'))?.log).toMatchObject({ row: 0, prediction_id: sent.predictionIds[0] });
      expect(await find(fresh.predictionIds[1]!)).toMatchObject({
        log: { row: 1, environment: 'production' },
        features: { distance: null, hour: 8, carrier: null, holiday: false },
      });
      expect((await find('trace-2'))?.log.prediction_id).toBe(fresh.predictionIds[0]);
      for (const id of ['nobody', newId(Date.now()), "' OR 1=1 --"]) expect(await find(id)).toBeNull();
    } finally {
      await engine.close();
      await log.close();
    }
  });

  it('reads from the names which segments can hold an id', async () => {
    const info = segmentInfo(
      'predictions/m/e/2013-06-01/0190f3a2-b1c0-7abc-8def-0123456789ab-0190f3a2ffff-deadbeef.parquet',
    );
    expect(info).toMatchObject({
      day: '2013-06-01',
      firstArrivalMs: 0x0190f3a2b1c0,
      lastArrivalMs: 0x0190f3a2ffff,
      schema: 'deadbeef',
    });
    expect(segmentInfo('predictions/m/e/2013-06-01/notes.txt')).toBeNull();
  });
});
