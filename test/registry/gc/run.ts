/**
 * `node run.ts FIRST COUNT`: that many interleavings, with seeds from FIRST on, or fewer when one loses something;
 * one JSON line, exit 1 when something was lost.
 */
import { type Interleaving, interleave } from './interleave.ts';

const [first = '1', count = '1000'] = process.argv.slice(2);
const total = { interleavings: 0, steps: 0, swept: 0, committed: 0, cancelled: 0, refused: 0, hits: 0 };
const violations: string[] = [];
for (let seed = Number(first); seed < Number(first) + Number(count); seed += 1) {
  const result: Interleaving = await interleave(seed);
  total.interleavings += 1;
  for (const name of ['steps', 'swept', 'committed', 'cancelled', 'refused', 'hits'] as const) {
    total[name] += result[name];
  }
  violations.push(...result.violations);
  if (violations.length > 0) break;
}
console.log(JSON.stringify({ ...total, missing: violations.length, first: violations[0] ?? null }));
process.exitCode = violations.length === 0 ? 0 : 1;
