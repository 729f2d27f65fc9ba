import { readFile } from 'node:fs/promises';
import { parse } from 'yaml';
import { z } from 'zod';
import { UserError } from '../errors.ts';

/** What a step can find out. A closed list: a runbook is data, never code. */
export const Question = z.enum([
  'validation_log',
  'schema_intact',
  'null_rates',
  'drift_statistics',
  'importance_quartile',
  'prediction_shift',
  'request_sample',
  'class_shift',
  'label_coverage',
  'wider_window',
  'service_health',
  'boundary_walks',
  'training_rows',
]);
export type Question = z.infer<typeof Question>;

/** What a decision can depend on. */
export const Condition = z.enum([
  'schema_broken',
  'nulls_moved',
  'drift_found',
  'top_importance',
  'important_nulls_rose',
  'important_far_values_rose',
  'predictions_moved',
  'performance_fell',
  'class_shifted',
  'wider_window_fell',
  'boundary_walked',
  'training_rows_probed',
]);
export type Condition = z.infer<typeof Condition>;

export const Cause = z.enum([
  'data_drift',
  'prediction_drift',
  'concept_drift',
  'silent_failure',
  'suspicious_inputs',
]);
export type Cause = z.infer<typeof Cause>;

const line = z.string().min(1).max(300);

export const Runbook = z.strictObject({
  schema: z.literal('modelgate.runbook/1'),
  name: z.string().regex(/^[a-z][a-z0-9_-]{0,62}$/),
  /** The causes that this runbook is for. */
  answers: z.array(Cause).min(1),
  steps: z
    .array(z.strictObject({ id: z.string().regex(/^[a-z][a-z0-9_-]{0,62}$/), ask: Question, title: line }))
    .min(1)
    .max(30),
  /** In order: the first whose conditions all hold is taken. */
  decisions: z
    .array(
      z.strictObject({
        when: z.array(Condition),
        /** Conditions that must not hold. */
        unless: z.array(Condition).default([]),
        action: z.enum(['retrain', 'review', 'fix_data', 'investigate', 'none']),
        /** Days until it is looked at again. */
        days: z.int().positive().max(365).optional(),
        reason: line,
      }),
    )
    .min(1)
    .max(30),
});
export type Runbook = z.infer<typeof Runbook>;
export type RunbookAction = Runbook['decisions'][number]['action'];

/** The actions as people read them. */
export const actionWords: Record<RunbookAction, string> = {
  retrain: 'Retrain',
  review: 'Log it and look again',
  fix_data: 'Mend the data',
  investigate: 'Look into it',
  none: 'Nothing to do',
};

export interface Answer {
  answer: 'yes' | 'no' | 'unknown';
  /** One sentence with the numbers. */
  detail: string;
  /** Where the validation log can be read; absent where it has no address. */
  log?: string;
}

/** All that a runbook can ask about, measured before it is opened. */
export interface Findings {
  answers: Record<Question, Answer>;
  conditions: Record<Condition, boolean>;
}

/** A runbook with its steps carried out. */
export interface RunbookResult {
  runbook: string;
  steps: (Answer & { id: string; title: string })[];
  action: RunbookAction;
  reason: string;
  /** Days until it is looked at again; null where no date is set. */
  days: number | null;
}

/** Fills in every step and takes the first decision whose conditions hold; without one the action is `none`. */
export function runRunbook(runbook: Runbook, findings: Findings): RunbookResult {
  const decision = runbook.decisions.find(
    ({ when, unless }) =>
      when.every((condition) => findings.conditions[condition]) &&
      !unless.some((condition) => findings.conditions[condition]),
  );
  return {
    runbook: runbook.name,
    steps: runbook.steps.map(({ id, ask, title }) => ({ id, title, ...findings.answers[ask] })),
    action: decision?.action ?? 'none',
    reason: decision?.reason ?? 'No decision of the runbook applies.',
    days: decision?.days ?? null,
  };
}

/** Parses runbooks: one YAML document each. Throws `config_invalid`. */
export function parseRunbooks(text: string, where: string): Runbook[] {
  try {
    if (text.length > 200_000) throw new RangeError('longer than 200,000 characters');
    return text
      .split(/^---\s*$/m)
      .filter((part) => part.trim() !== '')
      .map((part) => Runbook.parse(parse(part, { maxAliasCount: 0 })));
  } catch (cause) {
    const issue = cause instanceof z.ZodError ? cause.issues[0] : undefined;
    throw new UserError({
      code: 'config_invalid',
      message:
        issue === undefined
          ? 'The runbook is not valid YAML.'
          : `The runbook is not valid: ${issue.path.join('.')}: ${issue.message}.`,
      where,
      fix: 'See the questions, conditions and actions in docs/monitoring.md.',
      cause,
    });
  }
}

/** The built-in runbooks, replaced by those of the same name in the user's file. */
export async function loadRunbooks(file: string | undefined): Promise<Runbook[]> {
  const all: Runbook[] = [];
  for await (const runbook of inOrder(file)) all.push(runbook);
  return all;
}

/** The first of them for a cause: none is read behind it. */
export async function loadRunbookFor(cause: Cause, file: string | undefined): Promise<Runbook | null> {
  for await (const runbook of inOrder(file)) if (runbook.answers.includes(cause)) return runbook;
  return null;
}

async function* inOrder(file: string | undefined): AsyncGenerator<Runbook> {
  const own = file === undefined ? [] : parseRunbooks(await readOwn(file), file);
  yield* own;
  for (const name of ['drift', 'performance', 'silent-failure', 'suspicious-inputs']) {
    const url = new URL(`./runbooks/${name}.yaml`, import.meta.url);
    for (const runbook of parseRunbooks(await readFile(url, 'utf8'), url.pathname))
      if (!own.some((replacing) => replacing.name === runbook.name)) yield runbook;
  }
}

async function readOwn(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw new UserError({
      code: 'config_missing',
      message: 'The file with the runbooks cannot be read.',
      where: file,
      fix: 'Mend monitoring.runbooks in modelgate.yaml.',
      cause,
    });
  }
}

/** The first runbook for a cause. */
export function runbookFor(runbooks: readonly Runbook[], cause: Cause): Runbook | null {
  return runbooks.find(({ answers }) => answers.includes(cause)) ?? null;
}
