import { spawn } from 'node:child_process';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { type InferColumn, infer } from '../../../src/serving/client.ts';
import { model, type Parcel } from './model-repository.ts';

/** Lets a server of production answer for some parcels, and ends it, so that its log is in the store. */
export async function serveParcels({
  command,
  store,
  folder,
  parcels,
  environment = {},
}: {
  /** The command line's script. */
  command: string;
  store: string;
  /** An empty one. */
  folder: string;
  parcels: readonly Parcel[];
  /** What the store needs to be reached. */
  environment?: Readonly<Record<string, string>>;
}): Promise<{ version: number }> {
  const child = spawn(
    process.execPath,
    [command, 'serve', '--model', model, '--environment', 'production', '--port', '0', '--store', store],
    {
      cwd: folder,
      env: {
        PATH: process.env.PATH,
        HOME: folder,
        TMPDIR: folder,
        MODELGATE_CACHE: path.join(folder, 'cache'),
        ...environment,
      },
      stdio: ['ignore', 'ignore', 'pipe'],
    },
  );
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  try {
    const said: string[] = [];
    const url = await new Promise<string>((resolve, reject) => {
      createInterface({ input: child.stderr }).on('line', (line) => {
        said.push(line);
        const found = / at (http:\/\/\S+)/.exec(line)?.[1];
        if (found !== undefined) resolve(found);
      });
      void ended.then(() => reject(new Error(`the server ended: ${said.join('\n')}`)));
    });
    const column = (name: 'distance' | 'hour'): InferColumn => ({
      name,
      type: 'float32',
      values: parcels.map((parcel) => parcel[name]),
    });
    const answer = await infer({
      ...{ url, model, columns: [column('distance'), column('hour')] },
      eventTimes: parcels.map(({ handed_in }) => handed_in),
      rowKeys: parcels.map(({ id }) => id),
    });
    child.kill('SIGTERM');
    const code = await ended;
    if (code !== 0) throw new Error(`the server ended with ${code}: ${said.join('\n')}`);
    return { version: answer.version };
  } finally {
    child.kill('SIGKILL');
    await ended;
  }
}
