import { createInterface, type Interface } from 'node:readline/promises';
import type { z } from 'zod';
import { visible } from '../../visible.ts';
import { runStage, type StageContext } from '../define.ts';
import { init } from '../init.ts';

type InitInput = z.infer<typeof init.inputs>;

/** Where questions are read from and written to. */
export interface Terminal {
  input: NodeJS.ReadableStream;
  output: NodeJS.WritableStream;
}

/**
 * Asks a person for data, label and time, each with the guess of a dry run as the answer of an empty line; what was
 * given on the command line is not asked. A guess that cannot be made is left to the real run to refuse.
 */
export async function askFor(
  given: InitInput,
  context: StageContext,
  { input, output }: Terminal = { input: process.stdin, output: process.stderr },
): Promise<InitInput> {
  const answers = { ...given };
  const lines = createInterface({ input, output });
  try {
    const first = await guess(given, context);
    if (first === null) return given;
    if (given.data === null && first.could_be.data.length > 1) {
      output.write(`Data files: ${first.could_be.data.map(visible).join(', ')}\n`);
      answers.data = await ask(lines, 'Which one has the rows', first.chosen.data, context.signal);
    }
    const seen = answers.data === first.chosen.data ? first : await guess(answers, context);
    if (seen === null) return answers;
    output.write(`Columns: ${seen.could_be.columns.map(visible).join(', ')}\n`);
    answers.data = seen.chosen.data;
    answers.label ??= await ask(lines, 'Which column is to be predicted', seen.chosen.label, context.signal);
    answers.time ??= await ask(
      lines,
      'Which column says when the question is asked (none: no such column)',
      seen.chosen.time ?? 'none',
      context.signal,
    );
    return answers;
  } finally {
    lines.close();
  }
}

async function guess(given: InitInput, context: StageContext) {
  const { outputs } = await runStage(init, { ...given, dry_run: true }, context);
  const { chosen, could_be } = outputs;
  return chosen == null || could_be === undefined ? null : { chosen, could_be };
}

async function ask(
  lines: Interface,
  question: string,
  fallback: string,
  signal: AbortSignal,
): Promise<string> {
  const answer = (await lines.question(`${question}? [${visible(fallback)}] `, { signal })).trim();
  return answer === '' ? fallback : answer;
}
