import { parse } from 'yaml';
import { z } from 'zod';

// A key that is not here is one that this runner would leave out silently: it is refused.
const texts = z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]).transform(String));
const common = {
  name: z.string().optional(),
  id: z.string().optional(),
  if: z.string().optional(),
  env: texts.default({}),
};
const Step = z.union([
  z.strictObject({ ...common, uses: z.string(), with: texts.default({}) }),
  z.strictObject({ ...common, run: z.string(), shell: z.literal('bash') }),
]);
export type Step = z.infer<typeof Step>;

const Job = z.strictObject({
  name: z.string().optional(),
  needs: z
    .union([z.string(), z.array(z.string())])
    .default([])
    .transform((needs) => [needs].flat()),
  if: z.string().optional(),
  /** `matrix` is an expression of JSON that another job gives: a list of records to include. */
  strategy: z.strictObject({ 'fail-fast': z.literal(false), matrix: z.string() }).optional(),
  'runs-on': z.union([z.string(), z.array(z.string())]),
  'timeout-minutes': z.number(),
  environment: z.string().optional(),
  permissions: z.record(z.string(), z.enum(['read', 'write'])),
  outputs: texts.default({}),
  env: texts.default({}),
  steps: z.array(Step),
});
export type Job = z.infer<typeof Job>;

const Workflow = z.strictObject({
  name: z.string(),
  'run-name': z.string().optional(),
  on: z.unknown(),
  /** None: each job names its own. */
  permissions: z.strictObject({}),
  env: texts.default({}),
  /** Not carried out: no two runs of one group meet here. */
  concurrency: z.unknown(),
  jobs: z.record(z.string(), Job),
});
export type Workflow = z.infer<typeof Workflow>;

export const parseWorkflow = (text: string): Workflow => Workflow.parse(parse(text));

const Matrix = z.strictObject({ include: z.array(z.record(z.string(), z.string())) });

/** The jobs that a matrix makes: what `matrix` is in each. */
export const readMatrix = (json: string): readonly Readonly<Record<string, string>>[] =>
  Matrix.parse(JSON.parse(json)).include;
