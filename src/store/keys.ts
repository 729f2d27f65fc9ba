import { Digest } from '../json.ts';
import { Name } from '../names.ts';

/** The log of the whole store, beside those of the models: no model can have this name. */
export const storeLog = '_store';

/** Whether a folder of logs can have this name. */
export const isLogName = (name: string) => name === storeLog || Name.safeParse(name).success;

const logName = (name: string) => (name === storeLog ? name : Name.parse(name));

const fanned = (folder: string, digest: string) =>
  `${folder}/sha256/${Digest.parse(digest).slice(0, 2)}/${digest}`;

/** The one place that makes storage keys. Everything that enters one is checked here. */
export const keys = {
  object: (digest: string) => fanned('objects', digest),
  manifest: (digest: string) => fanned('manifests', digest),
  /** An entry of a model's log, or of the store's; seq counts from 1. */
  log: (model: string, seq: number) => `log/${logName(model)}/${twelve(seq)}.json`,
  logs: () => 'log/',
  head: (model: string) => `heads/${logName(model)}.json`,
  heads: () => 'heads/',
  checkpoint: (model: string, seq: number) => `checkpoints/${logName(model)}/${twelve(seq)}.json`,
  /** One page of a model's index of operation ids: `page` is a hexadecimal digit. */
  operations: (model: string, page: string) => `operations/${Name.parse(model)}/${Name.parse(page)}`,
  caches: () => 'cache/',
  /** The cached results of one stage. */
  stageCaches: (stage: string) => `cache/${Name.parse(stage)}/`,
  cache: (stage: string, key: string) => `cache/${Name.parse(stage)}/${Digest.parse(key)}`,
  /** What `registry probe` makes and removes again. */
  probe: (id: string, name: string) => `probe/${Name.parse(id)}/${Name.parse(name)}`,
  probes: (id: string) => `probe/${Name.parse(id)}/`,
  /** What a poll keeps of a version of the sources. */
  arrived: (model: string, version: string) =>
    `arrivals/${Name.parse(model)}/sources/${Digest.parse(version)}`,
  /** Of the run that a new dataset starts: how it ended, each attempt to start it, and which of these was refused. */
  arrivalEnding: (model: string, dataset: string) => `${arrivalRun(model, dataset)}/ending`,
  arrivalAttempt: (model: string, dataset: string, attempt: number) =>
    `${arrivalRun(model, dataset)}/${twelve(attempt)}`,
  arrivalRefused: (model: string, dataset: string, attempt: number) =>
    `${arrivalRun(model, dataset)}/${twelve(attempt)}-refused`,
  /** A rejected batch: kept for people, read by no stage. */
  quarantine: (model: string, id: string, file: string) =>
    `quarantine/${Name.parse(model)}/${Digest.parse(id)}/${Name.parse(file)}`,
  quarantines: (model: string) => `quarantine/${Name.parse(model)}/`,
  /** One closed segment of the prediction log; `day` is the event day, YYYY-MM-DD. */
  predictions: (model: string, environment: string, day: string, segment: string) =>
    `predictions/${Name.parse(model)}/${Name.parse(environment)}/${Name.parse(day)}/${Name.parse(segment)}.parquet`,
  predictionDay: (model: string, environment: string, day?: string) =>
    `predictions/${Name.parse(model)}/${Name.parse(environment)}/${day === undefined ? '' : `${Name.parse(day)}/`}`,
};

const arrivalRun = (model: string, dataset: string) =>
  `arrivals/${Name.parse(model)}/runs/${Digest.parse(dataset)}`;

function twelve(seq: number): string {
  if (!Number.isSafeInteger(seq) || seq < 1 || seq > 999_999_999_999) throw new RangeError(`bad seq ${seq}`);
  return String(seq).padStart(12, '0');
}
