import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';

/** Name, version, licence and licence text of every package that has a module in the bundle. Throws for one without. */
export async function licences(modules: readonly string[]): Promise<string> {
  const folders = new Set(modules.flatMap((module) => packageFolder(module) ?? []));
  const sections = await Promise.all([...folders].map(describe));
  return `${sections.sort().join(`\n${'-'.repeat(80)}\n\n`)}`;
}

/** The folder of the innermost package that a module belongs to. */
function packageFolder(module: string): string | null {
  const match = /^\0?(.*[\\/]node_modules[\\/](?:@[^\\/]+[\\/])?[^\\/]+)[\\/]/.exec(module);
  return match?.[1] ?? null;
}

async function describe(folder: string): Promise<string> {
  const manifest = JSON.parse(await readFile(path.join(folder, 'package.json'), 'utf8')) as {
    name: string;
    version: string;
    license?: string;
  };
  const files = (await readdir(folder)).filter((file) => /^(licen[cs]e|notice)/i.test(file)).sort();
  const texts = await Promise.all(files.map((file) => readFile(path.join(folder, file), 'utf8')));
  const { name, version, license } = manifest;
  if (license === undefined && texts.length === 0)
    throw new Error(`${name} ${version} has no licence: leave it out`);
  const none = `The package brings no text of its own: https://spdx.org/licenses/${license}.html\n`;
  const text = texts.length === 0 ? [none] : texts;
  return [`${name} ${version} (${license ?? 'see text'})`, '', ...text].join('\n');
}
