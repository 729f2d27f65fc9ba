import { z } from 'zod';
import { UserError } from '../src/errors.ts';
import { describeOptions, type OptionInfo } from '../src/stages/options.ts';
import { suggest } from '../src/suggest.ts';

const common = z.object({
  config: z
    .string()
    .default('modelgate.yaml')
    .describe('The configuration file, from the working directory.'),
  store: z
    .string()
    .optional()
    .describe("A folder, or s3://bucket/prefix. Left out: the configuration's `store`."),
  as_of: z
    .string()
    .optional()
    .describe('Take this time as the present when the age of data is judged, e.g. 2013-04-01.'),
  working_directory: z
    .string()
    .optional()
    .describe('The folder of the model repository, from the workspace. Left out: the workspace.'),
  from_artifacts: z
    .string()
    .optional()
    .describe(
      'Artifacts of earlier jobs of this run to take into the store first, one a line. Each object is verified. The digest that this stage goes by, left out, is the one that they hand over.',
    ),
  upload_artifact: z
    .string()
    .optional()
    .describe(
      'Name of the artifact that hands over the outcome, the report and, for a folder store, what was made. Left out: modelgate-<stage>; `none`: no upload.',
    ),
  on_inconclusive: z
    .enum(['fail', 'pass'])
    .default('fail')
    .describe('Whether the step fails when the data cannot decide.'),
});

/** Inputs that every action has beside its command's options. */
export type CommonInputs = z.infer<typeof common>;

/** All inputs of an action: the command's own first. Throws when two have the same name. */
export function actionInputs(options: z.ZodObject<z.ZodRawShape>): OptionInfo[] {
  const own = describeOptions(options);
  const shared = describeOptions(common);
  const twice = own.find((input) => shared.some((other) => other.flag === input.flag));
  if (twice !== undefined) throw new Error(`the option ${twice.name} has the name of a common input`);
  return [...own, ...shared];
}

/** Where inputs come from: `@actions/core`'s getInput, or a record in a test. '' is "not given". */
export type InputSource = (name: string) => string;

export interface ActionInputs {
  common: CommonInputs;
  options: Record<string, unknown>;
}

/**
 * Reads all inputs once into typed records. Empty is "left out", as everywhere in GitHub Actions.
 * Throws `usage` with the input's name.
 */
export function readInputs(options: z.ZodObject<z.ZodRawShape>, source: InputSource): ActionInputs {
  return {
    common: parse(common, source),
    options: parse(options, source),
  };
}

function parse<Shape extends z.ZodRawShape>(
  schema: z.ZodObject<Shape>,
  source: InputSource,
): z.infer<z.ZodObject<Shape>> {
  const given: Record<string, unknown> = {};
  for (const input of describeOptions(schema)) {
    const text = source(input.flag);
    if (text === '') continue;
    given[input.name] = input.multiple
      ? lines(text).map((line) => fromText(input, line))
      : fromText(input, text);
  }
  const parsed = schema.safeParse(given);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const name = String(issue?.path[0] ?? 'input');
  const flag = name.replaceAll('_', '-');
  throw invalid(flag, name in given ? `is not valid: ${issue?.message ?? 'unknown reason'}` : 'is needed');
}

/** Non-empty, trimmed lines: how an action's input holds several values. */
export function lines(text: string): string[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
}

function fromText(input: OptionInfo, text: string): unknown {
  if (input.kind === 'boolean') {
    // YAML 1.2's core schema, as getBooleanInput takes it: coercion would read "false" as true.
    if (/^(true|True|TRUE)$/.test(text)) return true;
    if (/^(false|False|FALSE)$/.test(text)) return false;
    throw invalid(input.flag, 'is neither true nor false');
  }
  if (input.choices !== undefined && !input.choices.includes(text)) {
    const near = suggest(text, input.choices);
    const hint = near === null ? '' : `; did you mean ${near}?`;
    throw invalid(input.flag, `is none of ${input.choices.join(', ')}${hint}`);
  }
  if (input.kind === 'number') {
    const value = Number(text);
    if (text.trim() === '' || !Number.isFinite(value)) throw invalid(input.flag, 'is not a number');
    return value;
  }
  return text;
}

function invalid(flag: string, what: string): UserError {
  return new UserError({
    code: 'usage',
    message: `The input ${flag} ${what}.`,
    where: `input ${flag}`,
    fix: `Set \`${flag}\` under \`with:\` in the workflow; the action's README lists what it takes.`,
  });
}
