/** For strace: `node hostile-process.ts JAIL COUNT SEED` brings hostile names to every entrance. */
import { tryNames } from './hostile-names.ts';

const [jail = '', count = '0', seed = '0'] = process.argv.slice(2);
const { names, tried, problems } = await tryNames({ jail, count: Number(count), seed: Number(seed) });
process.stdout.write(JSON.stringify({ names, tried, problems }));
