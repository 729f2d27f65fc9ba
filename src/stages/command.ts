import type { z } from 'zod';
import type { Loaded } from '../config/load.ts';
import type { StageContext, StageOutcome } from './define.ts';

/** A model repository that a command works on. */
export interface Project {
  /**
   * For commands that read data. Throws a `UserError` when there is no valid modelgate.yaml or a file that it
   * names is not there: commands that need none don't call it.
   */
  config(): Promise<Loaded>;
  /**
   * For commands that read no data, e.g. moves and serving: the files that it names are not looked for. Null only
   * where no configuration was named and there is no modelgate.yaml; throws a `UserError` for any other fault, so
   * that no rule is lost with it.
   */
  settings(): Promise<Loaded | null>;
  context: StageContext;
}

/**
 * What a person or a workflow can call: `modelgate NAME`, and `actions/NAME`. It turns options and
 * configuration into a stage's inputs and runs the stage. The command line's flags and action.yml's inputs
 * are both made from `options`.
 */
export interface Command<Options = Record<string, unknown>> {
  name: string;
  /** One sentence, for --help, action.yml and the README table. */
  description: string;
  /** Names of options that may also be given without a flag, in order. */
  positional: readonly string[];
  /**
   * A flat object of strings, coerced numbers and booleans, each described. `snake_case` here is
   * `--kebab-case` on the command line and `kebab-case` as an action's input.
   */
  options: z.ZodObject<z.ZodRawShape>;
  /** Whole command lines that work as they stand. */
  examples: readonly string[];
  run(options: Options, project: Project): Promise<StageOutcome<Record<string, unknown>>>;
}

/** Keeps the options' type between schema and `run`. */
export function defineCommand<Shape extends z.ZodRawShape>(
  command: Omit<Command, 'options' | 'run'> & {
    options: z.ZodObject<Shape>;
    run(options: z.infer<z.ZodObject<Shape>>, project: Project): Promise<StageOutcome<object>>;
  },
): Command {
  return command as unknown as Command;
}
