import { parse } from 'yaml';
import { z } from 'zod';

// A key that is not here is one that this runner would leave out silently: it is refused.
const texts = z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]).transform(String));
const common = {
  name: z.string().optional(),
  id: z.string().optional(),
  if: z.string().optional(),
  env: texts.default({}),
  'continue-on-error': z.literal(true).optional(),
};
const Step = z.union([
  z.strictObject({ ...common, uses: z.string(), with: texts.default({}) }),
  z.strictObject({ ...common, run: z.string(), shell: z.literal('bash') }),
]);
export type Step = z.infer<typeof Step>;

const anyJob = {
  name: z.string().optional(),
  needs: z
    .union([z.string(), z.array(z.string())])
    .default([])
    .transform((needs) => [needs].flat()),
  if: z.string().optional(),
  /** `matrix` is an expression of JSON that another job gives: a list of records to include. */
  strategy: z.strictObject({ 'fail-fast': z.literal(false), matrix: z.string() }).optional(),
  permissions: z.record(z.string(), z.enum(['read', 'write'])),
};
const StepsJob = z.strictObject({
  ...anyJob,
  'runs-on': z.union([z.string(), z.array(z.string())]),
  'timeout-minutes': z.number(),
  environment: z.string().optional(),
  outputs: texts.default({}),
  env: texts.default({}),
  steps: z.array(Step),
});
export type StepsJob = z.infer<typeof StepsJob>;
/** It calls another workflow of the same commit. */
const CallingJob = z.strictObject({ ...anyJob, uses: z.templateLiteral(['./', z.string()]), with: texts });
export type CallingJob = z.infer<typeof CallingJob>;
const Job = z.union([StepsJob, CallingJob]);
export type Job = z.infer<typeof Job>;

const Call = z.strictObject({
  workflow_call: z.strictObject({
    inputs: z.record(
      z.string(),
      z.strictObject({ description: z.string(), required: z.boolean(), type: z.literal('string') }),
    ),
    outputs: z.record(z.string(), z.strictObject({ description: z.string(), value: z.string() })),
  }),
});

const Workflow = z.strictObject({
  name: z.string(),
  'run-name': z.string().optional(),
  on: z.unknown(),
  /** None: each job names its own. */
  permissions: z.strictObject({}),
  env: texts.default({}),
  /** Not carried out: no two runs of one group meet here. */
  concurrency: z.unknown().optional(),
  jobs: z.record(z.string(), Job),
});
export type Workflow = z.infer<typeof Workflow>;

export const parseWorkflow = (text: string): Workflow => Workflow.parse(parse(text));

/** What a workflow takes from its caller, and gives back: expressions by name. Throws where it cannot be called so. */
export function asCalled(workflow: Workflow, given: Readonly<Record<string, string>>) {
  const { inputs, outputs } = Call.parse(workflow.on).workflow_call;
  for (const name of Object.keys(given)) if (!(name in inputs)) throw new Error(`it has no input ${name}`);
  for (const [name, { required }] of Object.entries(inputs))
    if (required && given[name] === undefined) throw new Error(`it needs the input ${name}`);
  return {
    inputs: Object.fromEntries(Object.keys(inputs).map((name) => [name, given[name] ?? ''])),
    outputs: Object.fromEntries(Object.entries(outputs).map(([name, { value }]) => [name, value])),
  };
}

const Matrix = z.strictObject({ include: z.array(z.record(z.string(), z.string())) });

/** The jobs that a matrix makes: what `matrix` is in each. */
export const readMatrix = (json: string): readonly Readonly<Record<string, string>>[] =>
  Matrix.parse(JSON.parse(json)).include;
