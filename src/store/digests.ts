import type { Digest } from '../json.ts';

/**
 * Every digest that stands in a text, wherever: garbage collection follows all of them, so that a form of entry,
 * manifest or stage result that it does not know keeps what it names.
 */
export function digestsIn(text: string): Set<Digest> {
  return new Set(text.match(/(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])/g) ?? []);
}
