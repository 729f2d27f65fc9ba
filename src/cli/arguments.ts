import { type ParseArgsConfig, parseArgs } from 'node:util';
import { z } from 'zod';
import { UserError } from '../errors.ts';
import type { Command } from '../stages/command.ts';
import { describeOptions, type OptionInfo } from '../stages/options.ts';
import { suggest } from '../suggest.ts';

/** Flags that every command takes. */
export const GlobalOptions = z.object({
  config: z.string().optional().describe('The configuration file. Default: modelgate.yaml'),
  store: z.string().optional().describe('The store: a folder or s3://bucket/prefix'),
  as_of: z.string().optional().describe('Take this time as the present when the age of data is judged'),
  json: z.boolean().default(false).describe('One JSON object on standard output, nothing else there'),
  quiet: z.boolean().default(false).describe('No progress on standard error'),
  verbose: z.boolean().default(false).describe('Details, and the stack of faults'),
  help: z.boolean().default(false).describe('This text'),
});
export type GlobalOptions = z.infer<typeof GlobalOptions>;

export interface ParsedCommandLine {
  global: GlobalOptions;
  options: Record<string, unknown>;
}

/** Parses what stands after the command's name. Throws `usage` with the nearest known flag. */
export function parseCommandLine(command: Command, args: readonly string[]): ParsedCommandLine {
  const own = describeOptions(command.options);
  const globals = describeOptions(GlobalOptions);
  const known = [...own, ...globals];
  const config: NonNullable<ParseArgsConfig['options']> = {};
  for (const option of known) {
    config[option.flag] = {
      type: option.kind === 'boolean' ? 'boolean' : 'string',
      multiple: option.multiple,
    };
  }
  const { values, positionals } = parse(command, args, config, known);
  if (positionals.length > command.positional.length) {
    throw usage(command, `Too many arguments: ${JSON.stringify(positionals[command.positional.length])}.`);
  }
  const given: Record<string, unknown> = {};
  for (const option of known) {
    const value = values[option.flag];
    if (value !== undefined) given[option.name] = typed(command, option, value);
  }
  positionals.forEach((value, index) => {
    const name = command.positional[index]!;
    const option = own.find((candidate) => candidate.name === name);
    if (option !== undefined && given[name] === undefined) given[name] = typed(command, option, value);
  });

  const global = GlobalOptions.parse(pick(given, globals));
  if (global.help) return { global, options: {} };
  const parsed = command.options.safeParse(pick(given, own));
  if (!parsed.success) {
    const issue = parsed.error.issues[0]!;
    const name = String(issue.path[0] ?? '').replaceAll('_', '-');
    const absent = !(String(issue.path[0]) in given);
    const place = command.positional.includes(String(issue.path[0])) ? name.toUpperCase() : `--${name}`;
    throw usage(command, absent ? `${place} is needed.` : `${place}: ${issue.message}.`);
  }
  return { global, options: parsed.data };
}

function parse(
  command: Command,
  args: readonly string[],
  options: NonNullable<ParseArgsConfig['options']>,
  known: readonly OptionInfo[],
) {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true, strict: true });
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const lacking = withoutValue(args, message);
    if (lacking !== null) throw usage(command, lacking);
    const flag = /'(?:-\w, )?--([^'\s]+)/.exec(message)?.[1];
    const near =
      flag === undefined
        ? null
        : suggest(
            flag,
            known.map((option) => option.flag),
          );
    const first = message.split(/\. |\.?\n/)[0]!;
    throw usage(command, near === null || near === flag ? `${first}.` : `${first}. Did you mean --${near}?`);
  }
}

/** Says of an option what stands in its value's place; null where that is not what is wrong. */
function withoutValue(args: readonly string[], message: string): string | null {
  const flag = /^Option '(--[^'\s]+)(?: <value>)?' argument (?:is ambiguous|missing)/.exec(message)?.[1];
  if (flag === undefined) return null;
  const next = args[args.findIndex((one, at) => one === flag && (args[at + 1]?.startsWith('-') ?? true)) + 1];
  if (next === undefined) return `${flag} needs a value.`;
  return /^--[a-z]/.test(next)
    ? `${flag} needs a value, and ${next} follows it.`
    : `${flag} is followed by ${JSON.stringify(next)}, which begins with a dash: write ${flag}=${next} if that is its value.`;
}

function typed(command: Command, option: OptionInfo, value: unknown): unknown {
  if (Array.isArray(value)) return value.map((each) => typed(command, option, each));
  if (option.kind !== 'number') return value;
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : Number.NaN;
  if (Number.isNaN(number))
    throw usage(command, `--${option.flag} takes a number, not ${JSON.stringify(value)}.`);
  return number;
}

function pick(values: Record<string, unknown>, options: readonly OptionInfo[]): Record<string, unknown> {
  return Object.fromEntries(options.flatMap(({ name }) => (name in values ? [[name, values[name]]] : [])));
}

function usage(command: Command, message: string): UserError {
  return new UserError({
    code: 'usage',
    message,
    where: `modelgate ${command.name}`,
    fix: `See modelgate ${command.name} --help.`,
  });
}
