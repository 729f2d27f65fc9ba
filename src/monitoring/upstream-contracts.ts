import { z } from 'zod';
import { type Contract, parseContract } from '../data/contract.ts';
import { contractDifference } from '../data/contract-difference.ts';
import { UserError } from '../errors.ts';
import { Digest } from '../json.ts';
import type { Store } from '../store/store.ts';

/** How the contract of a source has changed. */
export const ContractChange = z.object({
  source: z.string(),
  change: z.enum(['added', 'removed', 'changed']),
  /** The contracts' files as the store has them: `code` with one file. */
  before: Digest.nullable(),
  after: Digest.nullable(),
  version_before: z.string().nullable(),
  version_after: z.string().nullable(),
  /** Rules that differ; null stands for a rule that is not there. */
  rules: z.array(z.object({ rule: z.string(), before: z.string().nullable(), after: z.string().nullable() })),
  /** Why rules are not compared. */
  note: z.string().nullable(),
});
export type ContractChange = z.infer<typeof ContractChange>;

const rulesKept = 50;
const contractLimit = 1_000_000;

/** Source by source; a contract whose digest is the same is left out. */
export async function contractChanges(
  store: Store,
  { before, after }: { before: Record<string, Digest>; after: Record<string, Digest> },
): Promise<ContractChange[]> {
  const changes: ContractChange[] = [];
  for (const source of [...new Set([...Object.keys(before), ...Object.keys(after)])].sort()) {
    const [one, other] = [before[source] ?? null, after[source] ?? null];
    if (one === other) continue;
    const old = one === null ? null : await readContract(store, one, source);
    const now = other === null ? null : await readContract(store, other, source);
    const both = old !== null && now !== null;
    changes.push({
      source,
      change: one === null ? 'added' : other === null ? 'removed' : 'changed',
      ...{ before: one, after: other },
      version_before: old?.version ?? null,
      version_after: now?.version ?? null,
      rules: both ? contractDifference(old, now).slice(0, rulesKept) : [],
      note: one !== null && other !== null && !both ? 'one of the two cannot be read any more' : null,
    });
  }
  return changes;
}

/** Null: it is not there any more, or of a form that this version does not read. */
async function readContract(store: Store, digest: Digest, source: string): Promise<Contract | null> {
  try {
    const [file] = (await store.readManifest(digest, 'code')).files;
    if (file === undefined) return null;
    const bytes = await store.readBytes(file.sha256, contractLimit);
    return parseContract(bytes.toString('utf8'), file.name, source);
  } catch (error) {
    if (
      error instanceof UserError &&
      ['object_missing', 'object_damaged', 'contract_invalid'].includes(error.code)
    )
      return null;
    throw error;
  }
}
