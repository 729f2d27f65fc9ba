import { identifier, type SqlEngine } from '../data/engine.ts';
import type { CategoricalData, CategoricalSide } from './column-data.ts';
import { inBlocks, type Side, type TablePair } from './tables.ts';

/** Categorical columns, all in one statement a side. */
export async function readCategorical(
  engine: SqlEngine,
  pair: TablePair,
  names: readonly string[],
): Promise<CategoricalData[]> {
  const { block } = pair;
  const before = await countLevels(engine, { side: pair.reference, block, names });
  const after = await countLevels(engine, { side: pair.current, block, names });
  return names.map((name, i) => {
    const [old, now] = [before[i] as LevelCounts, after[i] as LevelCounts];
    const levels = levelsByRows(old.total, now.total);
    return {
      kind: 'categorical',
      name,
      levels,
      reference: categoricalSide(old, pair.reference, levels),
      current: categoricalSide(now, pair.current, levels),
    };
  });
}

/** The levels of both sides, the most frequent of the first first. */
export function levelsByRows(
  before: ReadonlyMap<string, number>,
  after: ReadonlyMap<string, number>,
): string[] {
  const rows = (total: ReadonlyMap<string, number>, level: string) => total.get(level) ?? 0;
  return [...new Set([...before.keys(), ...after.keys()])].sort(
    (a, b) => rows(before, b) - rows(before, a) || rows(after, b) - rows(after, a) || (a < b ? -1 : 1),
  );
}

interface LevelCounts {
  total: Map<string, number>;
  cells: { level: string; block: number; n: number }[];
}

/** Counts the levels of some columns by block in one statement, since a row's block costs as much as its count. */
async function countLevels(
  engine: SqlEngine,
  { side, block, names }: { side: Side; block: string; names: readonly string[] },
): Promise<LevelCounts[]> {
  const quoted = names.map((_, i) => `v${i}`);
  const texts = names.map((name, i) => `CAST(${identifier(name)} AS VARCHAR) AS ${quoted[i]}`);
  // of a group all texts but its own are null; a bit of g says which that is, the last column the lowest
  const [levels, blocks, counts, groups] = await engine.columns(
    `SELECT coalesce(${quoted.join(', ')}) AS v, b, CAST(count(*) AS DOUBLE) AS n,
       CAST(grouping_id(${quoted.join(', ')}) AS DOUBLE) AS g
     FROM (SELECT ${texts.join(', ')}, ${identifier(block)} AS b FROM ${side.relation} ${inBlocks(side, block)})
     GROUP BY GROUPING SETS (${quoted.map((one) => `(${one}, b)`).join(', ')})`,
  );
  const found = names.map((): LevelCounts => ({ total: new Map(), cells: [] }));
  const all = 2 ** names.length - 1;
  levels?.values.forEach((level, i) => {
    // nulls are left out here: a filter costs more than counting them
    if (typeof level !== 'string') return;
    const [at, n, g] = [blocks, counts, groups].map((column) => column?.values[i]) as [
      number,
      number,
      number,
    ];
    const { total, cells } = found[names.length - 1 - Math.log2(all - g)] as LevelCounts;
    cells.push({ level, block: at, n });
    total.set(level, (total.get(level) ?? 0) + n);
  });
  return found;
}

function categoricalSide(counts: LevelCounts, side: Side, levels: readonly string[]): CategoricalSide {
  const levelIndex = new Map(levels.map((level, i) => [level, i]));
  const byBlock = new Float64Array(side.blocks.length * levels.length);
  const nullsByBlock = Float64Array.from(side.rowsByBlock);
  let n = 0;
  for (const cell of counts.cells) {
    const { block } = cell;
    byBlock[block * levels.length + (levelIndex.get(cell.level) as number)] = cell.n;
    nullsByBlock[block] = (nullsByBlock[block] as number) - cell.n;
    n += cell.n;
  }
  return {
    n,
    counts: Float64Array.from(levels, (level) => counts.total.get(level) ?? 0),
    byBlock,
    nullsByBlock,
  };
}
