import '../zod-interpreted.ts';
import os from 'node:os';
import { asTold, UserError } from '../errors.ts';
import { exitCode, failedOutcome } from '../outcome.ts';
import type { Command } from '../stages/command.ts';
import { commandNames, loadCommand, loadCommands } from '../stages/commands.ts';
import type { StageOutcome } from '../stages/define.ts';
import { openProject } from '../stages/project.ts';
import { suggest } from '../suggest.ts';
import { version } from '../version.ts';
import { parseCommandLine } from './arguments.ts';
import { commandHelp, overview } from './help.ts';
import { render } from './render.ts';
import { terminalLogger } from './terminal.ts';

/** Runs `modelgate ARGS` and gives the exit code. Ctrl-C aborts the stage; a second one ends at once. */
export async function main(args: readonly string[]): Promise<number> {
  const [name, ...rest] = joinGroup(args);
  if (name === '--version') return print(version);
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    const command = await loadCommand(rest[0] ?? '');
    return print(command === undefined ? overview(await loadCommands()) : commandHelp(command));
  }
  const json = rest.includes('--json');
  try {
    const command = await loadCommand(name);
    if (command === undefined) throw unknownCommand(name);
    const { global, options } = parseCommandLine(command, rest);
    if (global.help) return print(commandHelp(command));
    const outcome = await run(command, options, global);
    print(global.json ? JSON.stringify(flat(outcome)) : render(command, outcome));
    return exitCode(outcome);
  } catch (error) {
    return fail(error, name, json);
  }
}

async function run(
  command: Command,
  options: Record<string, unknown>,
  global: {
    config?: string | undefined;
    store?: string | undefined;
    as_of?: string | undefined;
    quiet: boolean;
    verbose: boolean;
  },
): Promise<StageOutcome<Record<string, unknown>>> {
  const stop = new AbortController();
  const abort = () => {
    if (stop.signal.aborted) process.exit(130);
    stop.abort(new Error('interrupted'));
  };
  process.on('SIGINT', abort);
  process.on('SIGTERM', abort);
  try {
    await using project = await openProject({
      configFile: global.config,
      store: global.store,
      asOf: global.as_of,
      actor: { name: os.userInfo().username.slice(0, 100) || 'unknown', via: 'cli' },
      logger: terminalLogger(global),
      signal: stop.signal,
    });
    return await command.run(options, project);
  } catch (error) {
    throw asTold(error, { signal: stop.signal, where: `modelgate ${command.name}` });
  } finally {
    process.off('SIGINT', abort);
    process.off('SIGTERM', abort);
  }
}

/** The outcome with its outputs beside it: the fields that the command line's contract promises. */
export function flat(outcome: StageOutcome<Record<string, unknown>>): Record<string, unknown> {
  return { ...outcome.outputs, ...outcome };
}

/** `registry verify` is one command of two words. */
function joinGroup(args: readonly string[]): string[] {
  const [group, name, ...rest] = args;
  return group === 'registry' && name !== undefined && !name.startsWith('-')
    ? [`registry ${name}`, ...rest]
    : [...args];
}

function unknownCommand(name: string): UserError {
  const near = suggest(name, commandNames);
  return new UserError({
    code: 'usage',
    message: `There is no command ${JSON.stringify(name)}.${near === null ? '' : ` Did you mean ${near}?`}`,
    fix: 'See modelgate --help.',
  });
}

/** What went wrong before any stage ran, in the same form as an outcome. */
function fail(error: unknown, stage: string, json: boolean): number {
  const outcome = failedOutcome({ stage, error });
  if (!(error instanceof UserError) && error instanceof Error) process.stderr.write(`${error.stack}\n`);
  print(json ? JSON.stringify(outcome) : render(undefined, outcome));
  return exitCode(outcome);
}

function print(text: string): 0 {
  process.stdout.write(`${text}\n`);
  return 0;
}
