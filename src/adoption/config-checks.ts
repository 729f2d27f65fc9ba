import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, readFile } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { expandFiles, type Loaded } from '../config/load.ts';
import { parseContract } from '../data/contract.ts';
import { describeWhere, UserError } from '../errors.ts';
import { parseLock } from '../training/requirements.ts';
import { visible } from '../visible.ts';
import { missing, ok, type SetupCheck, warn } from './check.ts';

/** What hangs on modelgate.yaml and the files that it names. */
export async function configChecks(loaded: Loaded): Promise<SetupCheck[]> {
  return [
    await dataCheck(loaded),
    await contractCheck(loaded),
    await evaluationCheck(loaded),
    await requirementsCheck(loaded),
    gateCheck(loaded),
    monitoringCheck(loaded),
  ];
}

/** The problem of a configuration that cannot be read, as a check. */
export function configProblem(error: UserError): SetupCheck {
  const of = { check: 'config', level: 0, needed: true } as const;
  const where = describeWhere(error.where);
  const place = where === null ? '' : ` (${visible(where)})`;
  const fix = error.code === 'config_missing' ? `${error.fix} modelgate init writes a first one.` : error.fix;
  return missing(of, `${visible(error.message)}${place}`, fix);
}

async function dataCheck({ config }: Loaded): Promise<SetupCheck> {
  const of = { check: 'data', level: 0, needed: true } as const;
  let count = 0;
  for (const [name, { file }] of Object.entries(config.data.sources)) {
    const files = await expandFiles(file);
    count += files.length;
    if (files.length === 0)
      return missing(of, `The source ${name} has no file.`, 'Mend its path in modelgate.yaml.');
    for (const each of files) {
      const problem = await unreadable(each);
      if (problem !== null) {
        return missing(
          of,
          `${visible(path.basename(each))} of the source ${name} ${problem.what}.`,
          problem.fix,
        );
      }
    }
  }
  return ok(of, `${count} ${count === 1 ? 'file' : 'files'} can be read.`);
}

async function unreadable(file: string): Promise<{ what: string; fix: string } | null> {
  try {
    const handle = await open(file);
    try {
      const { bytesRead, buffer } = await handle.read({ buffer: Buffer.alloc(64), position: 0 });
      if (bytesRead === 0) return { what: 'is empty', fix: 'Fetch or write the file again.' };
      return buffer.toString('latin1').startsWith('version https://git-lfs')
        ? { what: 'is a pointer of Git LFS, not the data', fix: 'git lfs pull' }
        : null;
    } finally {
      await handle.close();
    }
  } catch {
    return { what: 'cannot be read', fix: 'Give this user the right to read it.' };
  }
}

async function contractCheck({ config }: Loaded): Promise<SetupCheck> {
  const of = { check: 'contract', level: 0 } as const;
  const without: string[] = [];
  for (const [name, { contract }] of Object.entries(config.data.sources)) {
    if (contract === undefined) {
      without.push(name);
      continue;
    }
    try {
      parseContract(await readFile(contract, 'utf8'), contract, name);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      return missing(
        { ...of, needed: true },
        `The contract of ${name} is not valid: ${visible(error.message)}`,
        error.fix,
      );
    }
  }
  const names = Object.keys(config.data.sources);
  if (without.length === 0) return ok(of, 'Every source has a contract.');
  const detail = `Without a contract: ${without.join(', ')}.`;
  const fix =
    'Write one (docs/data.md) and name it as `contract` of the source; modelgate profile shows what is there.';
  return without.length < names.length ? warn(of, detail, fix) : missing(of, detail, fix);
}

async function evaluationCheck({ config }: Loaded): Promise<SetupCheck> {
  const of = { check: 'evaluation_set', level: 0, needed: true } as const;
  const { file, sha256, id } = config.evaluation;
  const [found] = await expandFiles(file);
  const fix =
    'modelgate pin makes the file; put the sha256 that it says into modelgate.yaml, under a new id.';
  if (found === undefined) return missing(of, `The file of ${id} is not there.`, fix);
  const hash = createHash('sha256');
  await pipeline(createReadStream(found), hash);
  return hash.digest('hex') === sha256
    ? ok(of, `${id} is the pinned file.`)
    : missing(of, `The file of ${id} has another sha256 than the pinned one.`, fix);
}

async function requirementsCheck({ config }: Loaded): Promise<SetupCheck> {
  const of = { check: 'requirements', level: 0, needed: true } as const;
  const file = config.train.requirements;
  try {
    return ok(
      of,
      `${parseLock(await readFile(file, 'utf8'), file).length} packages, with versions and hashes.`,
    );
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return missing(of, visible(error.message), error.fix);
  }
}

function gateCheck({ config: { gate } }: Loaded): SetupCheck {
  const of = { check: 'gate', level: 1, needed: true } as const;
  const blocking = gate.metrics.filter(({ role }) => role !== 'information').length;
  if (blocking === 0) {
    return missing(
      of,
      'No metric of the gate blocks.',
      'Give a metric the role primary or guardrail, with a margin.',
    );
  }
  const detail = `${blocking} blocking ${blocking === 1 ? 'metric' : 'metrics'}, ${gate.floors.length} ${gate.floors.length === 1 ? 'floor' : 'floors'}.`;
  if (gate.on_inconclusive === 'pass') {
    return warn(
      of,
      `${detail} What the data cannot decide passes.`,
      'Set on_inconclusive to approve or block.',
    );
  }
  return gate.floors.length === 0
    ? warn(of, detail, 'Add a floor: without one, nothing judges the first version.')
    : ok(of, detail);
}

function monitoringCheck({ config }: Loaded): SetupCheck {
  const of = { check: 'monitoring', level: 1 } as const;
  const time = config.monitoring?.time ?? config.features.time;
  if (config.monitoring === undefined && time === undefined) {
    return missing(
      of,
      'Nothing says how drift is looked for, and rows have no time.',
      'Add `monitoring` to modelgate.yaml; its `time` names the column by which days are compared.',
    );
  }
  return config.chatops.heartbeats.monitor === undefined
    ? warn(
        of,
        'Drift is looked for, and nobody is told when the check itself falls silent.',
        'Set chatops.heartbeats.monitor.',
      )
    : ok(
        of,
        `Days are compared by ${visible(time ?? 'the time of arrival')}; silence is told after ${config.chatops.heartbeats.monitor}.`,
      );
}
