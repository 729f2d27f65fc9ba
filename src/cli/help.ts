import type { Command } from '../stages/command.ts';
import { describeOptions, type OptionInfo } from '../stages/options.ts';
import { GlobalOptions } from './arguments.ts';

export function overview(commands: readonly Command[]): string {
  const width = Math.max(...commands.map((command) => command.name.length));
  return [
    'modelgate: an MLOps pipeline native to GitHub',
    '',
    'Usage: modelgate COMMAND [OPTIONS]',
    '',
    ...commands.map((command) => `  ${command.name.padEnd(width)}  ${command.description}`),
    '',
    'Every command takes --json, --config FILE and --store URL; see modelgate COMMAND --help.',
    'Exit codes: 0 done or pass, 1 refused or failed, 2 inconclusive or drift found, 70 a fault of ModelGate.',
  ].join('\n');
}

export function commandHelp(command: Command): string {
  const own = describeOptions(command.options);
  const positional = command.positional.map((name) => {
    const option = own.find((candidate) => candidate.name === name);
    const word = name.replaceAll('_', '-').toUpperCase();
    return option?.required === false ? `[${word}]` : word;
  });
  return [
    command.description,
    '',
    `Usage: modelgate ${[command.name, ...positional].join(' ')} [OPTIONS]`,
    '',
    ...optionLines(own),
    '',
    'Options of every command:',
    ...optionLines(describeOptions(GlobalOptions)),
    ...(command.examples.length === 0
      ? []
      : ['', 'Examples:', ...command.examples.map((example) => `  ${example}`)]),
  ].join('\n');
}

function optionLines(options: readonly OptionInfo[]): string[] {
  const flags = options.map((option) => {
    const value = option.choices?.join('|') ?? (option.kind === 'number' ? 'N' : 'VALUE');
    return `--${option.flag}${option.kind === 'boolean' ? '' : ` ${value}`}`;
  });
  const width = Math.min(32, Math.max(0, ...flags.map((flag) => flag.length)));
  return options.map((option, index) => {
    const notes = [
      ...(option.required ? ['needed'] : []),
      ...(option.default === undefined || option.kind === 'boolean' ? [] : [`default ${option.default}`]),
    ];
    const note = notes.length === 0 ? '' : ` (${notes.join('; ')})`;
    return `  ${flags[index]!.padEnd(width)}  ${option.description}${note}`;
  });
}
