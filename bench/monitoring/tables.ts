import path from 'node:path';
import { openDuckDb } from '../../src/data/duckdb.ts';

/**
 * Two Parquet files of 59 days and 20 columns without drift: 8 numbers of full precision (two of them heavy-tailed),
 * 3 prices to the cent, 3 whole numbers of 50 to 100,000 values, 6 texts of 2 to 200 levels.
 */
export async function writeTables(folder: string, rows: number): Promise<[string, string]> {
  const engine = await openDuckDb({ workDirectory: folder, memoryMiB: 2048 });
  try {
    const files: string[] = [];
    for (const [side, first] of ['2026-01-01', '2026-03-01'].entries()) {
      const file = path.join(folder, `side-${side}.parquet`);
      await engine.writeParquet(
        `SELECT ${columnsOf(side, first, rows).join(', ')} FROM range(${rows}) AS t(i)`,
        file,
      );
      files.push(file);
    }
    return files as [string, string];
  } finally {
    await engine.close();
  }
}

function columnsOf(side: number, first: string, rows: number): string[] {
  const uniform = (k: number) => `((hash(hash(i) + ${7919 * (k + 1000 * side)}) >> 11) / 9007199254740992.0)`;
  const normal = (k: number) =>
    `sqrt(-2 * ln(1 - ${uniform(2 * k)})) * cos(2 * pi() * ${uniform(2 * k + 1)})`;
  const numbers = Array.from({ length: 14 }, (_, k) => {
    if (k < 4) return normal(k);
    if (k < 6) return `exp(${normal(k)})`;
    if (k < 8) return `tan(pi() * (${uniform(2 * k)} - 0.5))`;
    if (k < 11) return `round(100 * exp(${normal(k)}), 2)`;
    return `CAST(floor(${[50, 1000, 100_000][k - 11]} * ${uniform(2 * k)}) AS INTEGER)`;
  });
  const texts = [2, 5, 10, 30, 100, 200].map(
    (levels, k) => `'level-' || CAST(floor(${levels} * pow(${uniform(40 + k)}, 2)) AS INTEGER)`,
  );
  return [
    `TIMESTAMP '${first}' + INTERVAL 1 MINUTE * CAST(i * ${59 * 1440} // ${rows} AS INTEGER) AS "at"`,
    ...numbers.map((sql, k) => `${sql} AS number_${k}`),
    ...texts.map((sql, k) => `${sql} AS text_${k}`),
  ];
}
