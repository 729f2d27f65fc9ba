import { jsDistance } from '../stats/divergence.ts';
import { editDistance } from '../suggest.ts';
import { type Blocks, coarsen } from './blocks.ts';
import type { Column, ColumnType } from './engine.ts';
import { addSparse } from './sparse-counts.ts';

export interface RenameRequest {
  missing: readonly { name: string; type: ColumnType | null }[];
  unexpected: readonly Column[];
  /** The new batch and an accepted one before it, if there is one. */
  current: Blocks;
  baseline: Blocks | null;
}

export interface Rename {
  from: string;
  to: string;
  /** Why they are taken for the same, in words. */
  because: string;
}

/**
 * Pairs missing columns with unexpected ones of the same type: by their values when an earlier batch is there to
 * compare with, else by their names, else because one is missing and one is new. A guess that helps to read a
 * failure; nothing is decided by it.
 */
export function findRenames({ missing, unexpected, current, baseline }: RenameRequest): Rename[] {
  const distance = (old: string, name: string) =>
    baseline === null
      ? null
      : distributionDistance({ blocks: baseline, column: old }, { blocks: current, column: name });
  const pairs = missing.flatMap((old) =>
    unexpected
      .filter((column) => old.type === null || old.type === column.type)
      .map((column) => ({
        old: old.name,
        column,
        ...likeness(old.name, column.name, distance(old.name, column.name)),
      })),
  );
  const only = missing.length === 1 && unexpected.length === 1;
  const found: Rename[] = [];
  for (const { old, column, score, because } of pairs.toSorted((a, b) => b.score - a.score)) {
    if (found.some(({ from, to }) => from === old || to === column.name)) continue;
    if (score >= 0.6) found.push({ from: old, to: column.name, because });
    else if (only)
      found.push({ from: old, to: column.name, because: 'one column is missing, one of its type is new' });
  }
  return found;
}

function likeness(from: string, to: string, distance: number | null) {
  const names = 1 - editDistance(from.toLowerCase(), to.toLowerCase()) / Math.max(from.length, to.length, 1);
  const values = distance === null ? 0 : 1 - distance;
  return values >= Math.max(names, 0.6)
    ? { score: values, because: `its values are distributed alike (${Math.round(values * 100)} %)` }
    : { score: names, because: 'the names are alike' };
}

interface Side {
  blocks: Blocks;
  column: string;
}

/**
 * Jensen-Shannon distance, base 2, of two profiles of a column: over its values, or over bins of the coarser of
 * both widths. Nulls are left out: they are a check of their own. Null where the two cannot be compared.
 */
export function distributionDistance(reference: Side, current: Side): number | null {
  const [a, b] = [reference, current].map(({ blocks, column }) =>
    blocks.columns.find(({ name }) => name === column),
  );
  if (a?.kind === 'numeric' && b?.kind === 'numeric') {
    const exponent = Math.max(a.exponent, b.exponent);
    const [p, q] = [coarsen(a, exponent), coarsen(b, exponent)].map(({ parts }) =>
      counts(
        parts.reduce((sum, part) => addSparse(sum, part.bins), [] as number[]),
        String,
      ),
    );
    return p === undefined || q === undefined ? null : distance(p, q);
  }
  if (a?.kind === 'category' && b?.kind === 'category' && a.complete && b.complete) {
    const [p, q] = [a, b].map(({ parts, categories }) =>
      counts(
        parts.reduce((sum, part) => addSparse(sum, part.counts), [] as number[]),
        (index) => categories[index] ?? '',
      ),
    );
    return p === undefined || q === undefined ? null : distance(p, q);
  }
  return null;
}

function counts(sparse: readonly number[], key: (index: number) => string): Map<string, number> {
  const found = new Map<string, number>();
  for (let at = 0; at + 1 < sparse.length; at += 2)
    found.set(key(sparse[at] as number), sparse[at + 1] as number);
  return found;
}

function distance(a: Map<string, number>, b: Map<string, number>): number | null {
  if (a.size === 0 || b.size === 0) return null;
  const keys = [...new Set([...a.keys(), ...b.keys()])];
  const vector = (from: Map<string, number>) => Float64Array.from(keys, (each) => from.get(each) ?? 0);
  return jsDistance(vector(a), vector(b));
}
