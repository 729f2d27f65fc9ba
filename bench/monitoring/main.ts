/**
 * How often the drift decision is wrong, what it finds, and what it costs, beside what a user would pick instead.
 *
 *   npm run bench:monitoring -- aa [--splits 17] [--seed 1] [--python PYTHON --peer-splits 17 --peer-seconds 460]
 *   npm run bench:monitoring -- months
 *   npm run bench:monitoring -- joint [--splits 4] [--seed 1]
 *   npm run bench:monitoring -- speed [--rows 1000000] [--runs 3] [--python PYTHON]
 *
 * PYTHON may be given several times: each interpreter runs the peers that it has installed (evidently, nannyml,
 * alibi-detect, scipy; pandas and pyarrow for all).
 */
import path from 'node:path';
import { runParts } from '../../scripts/parts.ts';

process.exitCode = (await runParts(path.join(import.meta.dirname, 'parts'), process.argv.slice(2))) ? 0 : 1;
