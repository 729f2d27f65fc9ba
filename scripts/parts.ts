import { readdirSync } from 'node:fs';
import path from 'node:path';

/** A proof or a benchmark in a folder `parts`: prints its figures, and says whether all of it held. */
export interface Part {
  run(options: PartOptions): Promise<boolean>;
}

export interface PartOptions {
  /** What stood on the command line after the part's name. */
  args: readonly string[];
}

/** Runs the part that the command line names, else all of a folder in turn; whether all of them held. */
export async function runParts(folder: string, [wanted, ...args]: readonly string[]): Promise<boolean> {
  const parts = readdirSync(folder)
    .filter((name) => name.endsWith('.ts'))
    .map((name) => path.basename(name, '.ts'))
    .sort();
  if (wanted !== undefined && !parts.includes(wanted)) {
    console.error(`There is no part ${JSON.stringify(wanted)}. The parts: ${parts.join(', ')}.`);
    return false;
  }
  let held = true;
  for (const name of wanted === undefined ? parts : [wanted]) {
    console.log(`== ${name}`);
    const part = (await import(path.join(folder, `${name}.ts`))) as Part;
    const began = performance.now();
    const good = await part.run({ args });
    const seconds = ((performance.now() - began) / 1000).toFixed(0);
    console.log(`== ${name}: ${good ? 'held' : 'DID NOT HOLD'} (${seconds} s)`);
    held &&= good;
  }
  return held;
}
