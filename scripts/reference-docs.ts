/**
 * Writes the made parts of the reference: docs/configuration-fields.md from the schema, docs/codes.md from the registry
 * of codes, docs/runbooks.md from the built-in runbooks and playbooks. With --check it only says whether they are up to
 * date.
 */
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { codes } from '../src/codes.ts';
import { Playbook } from '../src/monitoring/playbooks.ts';
import { actionWords, Runbook } from '../src/monitoring/runbook.ts';
import { configFields } from './config-fields.ts';

const root = path.join(import.meta.dirname, '..');
const runbookFiles = ['drift', 'performance', 'silent-failure', 'suspicious-inputs'];

/** Text of ours in a cell: what stands in backticks is code, and else `<` begins no markup. */
const cell = (text: string) =>
  text
    .replaceAll('|', '\\|')
    .replaceAll('\n', ' ')
    .split('`')
    .map((part, i) => (i % 2 === 0 ? part.replaceAll('<', '&lt;') : part))
    .join('`');

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(head), `|${head.map(() => '---').join('|')}|`, ...rows.map(line)].join('\n');
}

function fields(): string {
  return [...configFields()]
    .map(([key, found]) => {
      const rows = found.map((field) => [
        `\`${field.path}\``,
        cell(field.type),
        field.needed ? 'needed' : field.default === null ? '' : `\`${cell(field.default)}\``,
        cell(field.description),
      ]);
      return `## ${key}\n\n${table(['key', 'value', 'left out', 'meaning'], rows)}`;
    })
    .join('\n\n');
}

function codeTable(): string {
  const rows = Object.entries(codes)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([code, { class: failure, means }]) => [`\`${code}\``, failure, cell(means)]);
  return table(['code', 'class', 'means'], rows);
}

async function runbooks(): Promise<string> {
  const parts = await Promise.all(
    runbookFiles.map(async (name) => {
      const file = path.join(root, `src/monitoring/runbooks/${name}.yaml`);
      const book = Runbook.parse(parse(await readFile(file, 'utf8')));
      const steps = book.steps.map(({ title }, i) => `${i + 1}. ${title}`).join('\n');
      const rows = book.decisions.map(({ when, unless, action, days, reason }) => [
        [...when.map((one) => `\`${one}\``), ...unless.map((one) => `not \`${one}\``)].join(', ') ||
          'otherwise',
        days === undefined ? actionWords[action] : `${actionWords[action]} in ${days} days`,
        cell(reason),
      ]);
      const causes = book.answers.map((cause) => `\`${cause}\``).join(', ');
      return `### ${book.name}\n\nFor ${causes}. What is found out before anybody is told:\n\n${steps}\n\n${table(['when', 'decision', 'because'], rows)}`;
    }),
  );
  return parts.join('\n\n');
}

async function playbooks(): Promise<string> {
  const text = await readFile(path.join(root, 'src/monitoring/playbooks/failures.yaml'), 'utf8');
  const found = z.object({ playbooks: z.array(Playbook) }).parse(parse(text));
  return found.playbooks
    .map(({ class: failure, title, page, steps }) => {
      const told = page ? 'The people of `chatops.page` are mentioned.' : 'Nobody is mentioned.';
      return `### ${failure}\n\n${title}. ${told}\n\n${steps.map((step, i) => `${i + 1}. ${step}`).join('\n')}`;
    })
    .join('\n\n');
}

async function main(check: boolean): Promise<number> {
  const parts: [file: string, name: string, made: string][] = [
    ['docs/configuration-fields.md', 'fields', fields()],
    ['docs/codes.md', 'codes', codeTable()],
    ['docs/runbooks.md', 'runbooks', await runbooks()],
    ['docs/runbooks.md', 'playbooks', await playbooks()],
  ];
  let stale = 0;
  for (const [name, part, made] of parts) {
    const file = path.join(root, name);
    const text = await readFile(file, 'utf8');
    const [begin, end] = [`<!-- ${part}: begin -->`, `<!-- ${part}: end -->`];
    const [from, until] = [text.indexOf(begin), text.indexOf(end)];
    if (from < 0 || until < from) throw new Error(`${name} has lost its markers ${begin} and ${end}`);
    const wanted = `${text.slice(0, from)}${begin}\n\n${made}\n\n${text.slice(until)}`;
    if (wanted === text) continue;
    stale++;
    if (!check) await writeFile(file, wanted);
    process.stdout.write(`${name} ${check ? 'is not up to date: run `npm run docs`' : 'written'}\n`);
  }
  return check && stale > 0 ? 1 : 0;
}

process.exitCode = await main(process.argv.includes('--check'));
