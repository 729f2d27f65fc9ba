import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';

const script = path.join(import.meta.dirname, 'peers.py');

/** What each interpreter's peers say, one JSON line each; what none of them has installed is said. */
export async function runPeers<Result extends { name: string }>(
  pythons: readonly string[],
  args: readonly string[],
): Promise<Result[]> {
  const results: Result[] = [];
  const missing = new Map<string, string>();
  for (const python of pythons) {
    const done = results.map(({ name }) => name.split(' ')[0] as string);
    const told = await promisify(execFile)(python, [script, ...args, ...done], { maxBuffer: 2 ** 24 });
    for (const line of told.stderr.split('\n')) {
      const name = /^left out: ([\w-]+)/.exec(line)?.[1];
      if (name !== undefined) missing.set(name, line);
    }
    for (const line of told.stdout.split('\n'))
      if (line.startsWith('{')) results.push(JSON.parse(line) as Result);
  }
  for (const [name, line] of missing)
    if (!results.some((result) => result.name.startsWith(`${name} `))) console.log(line);
  return results;
}
