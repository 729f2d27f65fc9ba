import type { Code } from '../codes.ts';
import type { AdmissionRules } from './admission-policy.ts';
import type { TensorType } from './predictor.ts';

/** Values of one input, [rows, 1]. */
export type InputValues = string[] | Float32Array | Float64Array | BigInt64Array | Uint8Array;

export type WorkerRequest =
  | { kind: 'load'; file: string; threads: number; admission: AdmissionRules | undefined }
  | {
      kind: 'run';
      rows: number;
      inputs: { name: string; type: TensorType; values: InputValues }[];
      output: string;
    };

export type WorkerReply =
  | { kind: 'loaded'; inputs: string[]; outputs: string[] }
  | { kind: 'result'; values: Float32Array | Float64Array; shape: number[] }
  /** `known` when the user can mend it, as a missing library or a file that is refused. */
  | { kind: 'error'; message: string; known: { code: Code; fix: string; where: string } | null };
