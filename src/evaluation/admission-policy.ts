import { z } from 'zod';
import { lazyObject } from '../lazy-schema.ts';
import { standardOperators } from './onnx-operators.ts';

/** Operators that hold graphs of their own and may run without end: each needs to be allowed by name. */
export const controlFlow = ['If', 'Loop', 'Scan', 'SequenceMap'] as const;

/** What modelgate.yaml says of model files. */
export const AdmissionRules = lazyObject(() => ({
  allow: z
    .array(z.enum(controlFlow))
    .max(controlFlow.length)
    .optional()
    .describe('Operators with graphs of their own that a model may use. Left out: none.'),
  maximum_bytes: z.number().int().positive().max(2_000_000_000).optional().describe('Of the file.'),
  maximum_nodes: z.number().int().positive().max(200_000).optional(),
  maximum_tensor_bytes: z
    .number()
    .int()
    .positive()
    .max(16_000_000_000)
    .optional()
    .describe('Of all stored tensors, by what they say and by what they hold.'),
}));
export type AdmissionRules = z.infer<typeof AdmissionRules>;

export interface AdmissionPolicy {
  /** Bytes of the file. */
  maximumBytes: number;
  maximumNodes: number;
  /** Bytes of the stored tensors. */
  maximumTensorBytes: number;
  operators: ReadonlySet<string>;
}

export const defaultAdmission: AdmissionPolicy = admissionPolicy(undefined);

/** The rules with their defaults. */
export function admissionPolicy(rules: AdmissionRules | undefined): AdmissionPolicy {
  return {
    maximumBytes: rules?.maximum_bytes ?? 1_000_000_000,
    maximumNodes: rules?.maximum_nodes ?? 100_000,
    maximumTensorBytes: rules?.maximum_tensor_bytes ?? 2_000_000_000,
    operators:
      rules?.allow === undefined ? standardOperators : new Set([...standardOperators, ...rules.allow]),
  };
}
