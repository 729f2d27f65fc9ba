/** Writes docs/cli.md from the commands themselves. With --check it only says whether the page is up to date. */
import { readFile, writeFile } from 'node:fs/promises';
import { GlobalOptions } from '../src/cli/arguments.ts';
import { loadCommands } from '../src/stages/commands.ts';
import { describeOptions } from '../src/stages/options.ts';

const file = 'docs/cli.md';
const commands = await loadCommands();

export function cliPage(): string {
  const cell = (text: string) => text.replaceAll('|', '\\|');
  const optionTable = (options: Parameters<typeof describeOptions>[0]) => [
    '| option | meaning | default |',
    '|---|---|---|',
    ...describeOptions(options).map((option) => {
      const value =
        option.kind === 'boolean'
          ? ''
          : ` ${option.choices?.join('\\|') ?? (option.kind === 'number' ? 'N' : 'VALUE')}`;
      const fallback = option.required
        ? 'needed'
        : option.kind === 'boolean'
          ? 'off'
          : (option.default ?? '');
      return `| \`--${option.flag}${value}\` | ${cell(option.description)} | ${fallback} |`;
    }),
  ];
  return `${[
    '# Command line',
    '',
    'Made from the commands by `npm run docs`. In a clone of this repository, run them by `npm exec modelgate -- COMMAND`.',
    '',
    'Exit codes: **0** done or pass · **1** refused, failed, or your error · **2** inconclusive, not decidable, or drift found · **70** a fault of ModelGate.',
    'With `--json`, standard output is one JSON object: the outcome (`schema, stage, verdict, reason_code, summary, inputs, outputs, timings, trace_id`) with its outputs beside it; an error holds `error: {code, message, where, fix}`.',
    '',
    'Options of every command:',
    '',
    ...optionTable(GlobalOptions),
    ...commands.flatMap((command) => [
      '',
      `## modelgate ${command.name}${command.positional.map((name) => ` ${name.toUpperCase()}`).join('')}`,
      '',
      command.description,
      '',
      ...(describeOptions(command.options).length === 0 ? [] : [...optionTable(command.options), '']),
      '```sh',
      ...command.examples,
      '```',
    ]),
  ].join('\n')}\n`;
}

if (import.meta.main) {
  const wanted = cliPage();
  if (!process.argv.includes('--check')) await writeFile(file, wanted);
  else if ((await readFile(file, 'utf8').catch(() => '')) !== wanted) {
    console.error(`${file} is out of date: run npm run docs`);
    process.exitCode = 1;
  }
}
