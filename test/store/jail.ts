import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import path from 'node:path';

/** More steps than any hostile name goes up. */
const depth = 24;
const step = 'in';

/** Makes a folder so deep inside `top` that whatever climbs out of it still lands below `top`. Gives that folder. */
export function makeJail(top: string): string {
  const inside = path.join(top, ...Array.from({ length: depth }, () => step));
  if (!existsSync(inside)) mkdirSync(inside, { recursive: true });
  return inside;
}

/** What was made in a jail, on the way in and beside what belongs inside: paths from `top`. */
export function escapedFrom(top: string, belongs: readonly string[]): string[] {
  const found: string[] = [];
  let folder = top;
  for (let level = 0; level <= depth; level += 1) {
    const expected = level === depth ? belongs : [step];
    const strange = readdirSync(folder).filter((name) => !expected.includes(name));
    found.push(...strange.map((name) => path.relative(top, path.join(folder, name))));
    folder = path.join(folder, step);
  }
  return found;
}
