/**
 * The registry's proofs at full size: minutes each, figures printed, exit 1 when something did not hold.
 *
 *   npm run chaos:registry -- PART [its options]     one part
 *   npm run chaos:registry                           all of them
 */
import path from 'node:path';
import { runParts } from '../../scripts/parts.ts';

process.exitCode = (await runParts(path.join(import.meta.dirname, 'parts'), process.argv.slice(2))) ? 0 : 1;
