import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { makeJail } from './jail.ts';

export interface CallTally {
  names: number;
  /** System calls that make, change or remove a file. */
  changing: number;
  problems: string[];
}

const traced =
  'openat,open,creat,mkdir,mkdirat,link,linkat,symlink,symlinkat,rename,renameat,renameat2,unlink,unlinkat,truncate,mknod,mknodat';

/** What the operating system was asked to change while hostile names came in: all of it must lie in the store. */
export function traceNames(options: { jail: string; count: number; seed: number }): CallTally {
  const jail = path.join(options.jail, 'traced');
  const inside = makeJail(jail);
  const record = path.join(options.jail, 'calls');
  const program = path.join(import.meta.dirname, 'hostile-process.ts');
  const output = execFileSync(
    'strace',
    [
      '-f',
      '-qq',
      '-s',
      '4096',
      '-e',
      `trace=${traced}`,
      '-o',
      record,
      process.execPath,
      program,
      jail,
      String(options.count),
      String(options.seed),
    ],
    { encoding: 'utf8', maxBuffer: 100_000_000 },
  );
  const tally: CallTally = { names: 0, changing: 0, problems: [] };
  const told = JSON.parse(output) as { names: number; problems: string[] };
  tally.names = told.names;
  tally.problems.push(...told.problems);
  const store = `${path.join(inside, 'store')}/`;
  const canary = path.join(inside, 'canary');
  for (const line of readFileSync(record, 'utf8').split('\n')) {
    const call = /^\d+\s+(\w+)\((.*)$/.exec(line);
    if (call === null) continue;
    const [, name = '', rest = ''] = call;
    if (name.startsWith('open') && !/O_(WRONLY|RDWR|CREAT|TRUNC)/.test(rest)) continue;
    tally.changing += 1;
    // names that strace shows with escapes hold what no path of the store holds
    for (const [, touched = ''] of rest.matchAll(/"((?:[^"\\]|\\.)*)"/g)) {
      const inside = `${touched}/`.startsWith(store) && !touched.includes('/../');
      if (!inside && touched !== canary && !touched.startsWith('/dev/'))
        tally.problems.push(`${name} ${touched}`);
    }
  }
  return tally;
}
