import type { Logger } from '../src/logger.ts';

/** A logger for the time in which the runner reads no commands, and what it was told to warn of. */
export interface RunnerLog {
  logger: Logger;
  /** Redacted, in order: to be annotated when commands are read again. */
  warnings: string[];
}

/**
 * Writes plain lines to the runner's log. The runner reads commands (`::error::`, `##[set-env]`) from standard
 * output, so a line that would be one, from a column's name or a script's output, is set back by a bar.
 */
export function runnerLog(
  write: (text: string) => void,
  redact: (text: string) => string,
  debug: boolean,
): RunnerLog {
  const warnings: string[] = [];
  return {
    warnings,
    logger: {
      info: (message) => write(harmless(redact(message))),
      warn: (message) => {
        warnings.push(redact(message));
        write(harmless(`warning: ${redact(message)}`));
      },
      debug: (message) => {
        if (debug) write(harmless(`debug: ${redact(message)}`));
      },
    },
  };
}

/** Text whose lines the runner does not read as commands. */
export function harmless(text: string): string {
  return text
    .split(/\r\n|[\n\r\u0085\u2028\u2029]/)
    .map((line) =>
      /^\s*::/.test(line) || line.includes('##[') ? `| ${line.replaceAll('##[', '## [')}` : line,
    )
    .join('\n');
}
