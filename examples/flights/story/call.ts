import os from 'node:os';
import { UserError } from '../../../src/errors.ts';
import { silentLogger } from '../../../src/logger.ts';
import { loadCommand } from '../../../src/stages/commands.ts';
import type { StageOutcome } from '../../../src/stages/define.ts';
import { openProject } from '../../../src/stages/project.ts';
import type { Progress } from './progress.ts';

export type Result = StageOutcome<Record<string, unknown>>;

/** Calls a command as the command line would, with the same options. */
export type Caller = (
  name: string,
  options: Record<string, unknown>,
  settings: { config: string },
) => Promise<Result>;

/** Calls commands in this process and tells each stage's end to `progress`. */
export function caller(settings: { store: string; signal: AbortSignal; progress: Progress }): Caller {
  return async (name, options, { config }) => {
    const command = await loadCommand(name);
    if (command === undefined) throw new Error(`no command ${name}`);
    await using project = await openProject({
      configFile: config,
      store: settings.store,
      actor: { name: os.userInfo().username, via: 'cli' },
      logger: { ...silentLogger, info: (message) => settings.progress.detail(message) },
      signal: settings.signal,
    });
    try {
      const result = await command.run(command.options.parse(options), project);
      if (result.reason_code === 'internal') throw new Error(`${name}: ${result.summary}`);
      return result;
    } catch (error) {
      if (error instanceof UserError)
        throw new Error(`${name}: ${error.message} ${error.fix}`, { cause: error });
      throw error;
    }
  };
}
