import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { hasCode } from '../src/errors.ts';
import { loadCommands } from '../src/stages/commands.ts';
import { actionFiles, actionTable, type GeneratedFile } from './action-docs.ts';

const root = path.join(import.meta.dirname, '..');
const begin = '<!-- actions: begin -->';
const end = '<!-- actions: end -->';
const commands = await loadCommands();

/** Writes action.yml and README.md of every action and the table of docs/actions.md; `--check` only compares. */
async function main(check: boolean): Promise<number> {
  const files = [...actionFiles(commands), await docsPage()];
  let stale = 0;
  for (const file of files) {
    const target = path.join(root, file.path);
    if ((await readText(target)) === file.text) continue;
    stale += 1;
    process.stdout.write(`${file.path} ${check ? 'is not up to date' : 'written'}\n`);
    if (check) continue;
    await mkdir(path.dirname(target), { recursive: true });
    await writeFile(target, file.text);
  }
  if (check && stale > 0) process.stdout.write('Run `npm run docs`.\n');
  return check && stale > 0 ? 1 : 0;
}

async function docsPage(): Promise<GeneratedFile> {
  const file = 'docs/actions.md';
  const text = (await readText(path.join(root, file))) ?? `# Actions\n\n${begin}\n${end}\n`;
  const from = text.indexOf(begin);
  const until = text.indexOf(end);
  if (from < 0 || until < from) throw new Error(`${file} has lost its markers ${begin} and ${end}`);
  return {
    path: file,
    text: `${text.slice(0, from)}${begin}\n\n${actionTable(commands)}\n\n${text.slice(until)}`,
  };
}

async function readText(file: string): Promise<string | null> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return null;
    throw error;
  }
}

process.exitCode = await main(process.argv.includes('--check'));
