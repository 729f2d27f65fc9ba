import { UserError } from '../errors.ts';
import type { Digest, Json } from '../json.ts';
import { type Change, describePackage, packageChanges } from '../store/package-changes.ts';
import type { Store } from '../store/store.ts';
import { formatCount, formatExact } from './numbers.ts';

/** In what the candidate's package differs from the champion's; null when there is none, or its record is gone. */
export async function changesBetween(
  store: Store,
  { champion, candidate }: { champion: Digest | null; candidate: Digest },
): Promise<Change[] | null> {
  if (champion === null) return null;
  try {
    return packageChanges(await describePackage(store, champion), await describePackage(store, candidate));
  } catch (error) {
    // The champion may be older than what is kept of the store: that is no reason to judge nothing.
    if (error instanceof UserError && error.code === 'object_missing') return null;
    throw error;
  }
}

/** A change as people read it: plain texts, still to be escaped. */
export interface ChangeWords {
  part: string;
  before: string;
  after: string;
}

const parts: Record<string, string> = {
  data: 'data',
  params: 'parameter',
  environment: 'environment',
  metrics: 'validation metric',
};
const wholes: Record<string, string> = {
  'data.dataset': 'dataset',
  'data.rows': 'rows of data',
  'data.window.from': 'data from',
  'data.window.until': 'data until',
  features: 'feature SQL',
  'features.added': 'features added',
  'features.removed': 'features removed',
};

/** Names the part and shows both values, digests by their first letters. */
export function changeWords({ what, before, after, note }: Change): ChangeWords {
  const [head = '', ...rest] = what.split('.');
  const name = rest.length > 0 && head in parts ? `${parts[head]} ${rest.join('.')}` : what;
  const part = wholes[what] ?? name;
  return {
    part: note === undefined ? part : `${part} (${note})`,
    before: valueWords(before),
    after: valueWords(after),
  };
}

function valueWords(value: Json): string {
  if (value === null) return '–';
  if (typeof value === 'number') return Number.isInteger(value) ? formatCount(value) : formatExact(value);
  if (typeof value === 'string') return /^[0-9a-f]{40,64}$/.test(value) ? value.slice(0, 12) : value;
  if (Array.isArray(value)) return value.map(valueWords).join(', ');
  return JSON.stringify(value);
}
