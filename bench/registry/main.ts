/**
 * The registry's benchmarks; exit 1 when one misses its goal.
 *
 *   npm run bench:registry -- PART [its options]     one part
 *   npm run bench:registry                           all of them
 */
import path from 'node:path';
import { runParts } from '../../scripts/parts.ts';

process.exitCode = (await runParts(path.join(import.meta.dirname, 'parts'), process.argv.slice(2))) ? 0 : 1;
