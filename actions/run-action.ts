import '../src/zod-interpreted.ts';
import * as core from '@actions/core';
import { commandNames, loadCommand } from '../src/stages/commands.ts';
import { openProject } from '../src/stages/project.ts';
import { githubArtifacts } from './artifacts.ts';
import { type ActionHost, executeAction } from './execute.ts';

/**
 * Runs the action of a command by name, with the runner as host: what `actions/<name>/index.ts` calls. Sets
 * the process's exit code: 0 only when the verdict is pass, or inconclusive and the workflow wants to go on.
 */
export async function runAction(name: string): Promise<void> {
  const stop = new AbortController();
  const abort = () => stop.abort(new Error('interrupted'));
  process.once('SIGINT', abort); // a cancelled run gets SIGINT, and 7.5 seconds later SIGTERM
  process.once('SIGTERM', abort);
  process.exitCode = await executeAction(
    name,
    { names: commandNames, load: loadCommand },
    runnerHost(stop.signal),
  );
  process.off('SIGINT', abort);
  process.off('SIGTERM', abort);
}

/** The façade: the action named by the input `stage`. */
export async function runNamedAction(): Promise<void> {
  await runAction(core.getInput('stage'));
}

/** The real runner, through `@actions/core`. */
export function runnerHost(signal: AbortSignal): ActionHost {
  return {
    env: process.env,
    input: (name) => core.getInput(name),
    openProject,
    artifacts: githubArtifacts(),
    info: (message) => core.info(message),
    debug: (message) => core.debug(message),
    annotate: ({ level, message, title, file, line, column }) =>
      (level === 'error' ? core.error : core.warning)(message, {
        title,
        ...(file === undefined ? {} : { file }),
        ...(line === undefined ? {} : { startLine: line }),
        ...(column === undefined ? {} : { startColumn: column }),
      }),
    setOutput: (name, value) => core.setOutput(name, value),
    writeSummary: async (markdown) => {
      if (process.env.GITHUB_STEP_SUMMARY) await core.summary.addRaw(markdown, true).write();
    },
    stopCommands: (token) => process.stdout.write(`::stop-commands::${token}\n`),
    resumeCommands: (token) => process.stdout.write(`::${token}::\n`),
    signal,
  };
}
