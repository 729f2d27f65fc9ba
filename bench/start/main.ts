/**
 * What is waited for before anything happens; exit 1 when a goal is missed.
 *
 *   npm run bench:start -- actions [--runs N] [--python FILE]... [--only ACTION]...   beside Python imports
 *   npm run bench:start -- story   a newcomer's first and second `npm start`
 */
import path from 'node:path';
import { runParts } from '../../scripts/parts.ts';

process.exitCode = (await runParts(path.join(import.meta.dirname, 'parts'), process.argv.slice(2))) ? 0 : 1;
