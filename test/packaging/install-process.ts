/** Installs what a file describes: one of several processes that do so at the same time. */
import { readFile } from 'node:fs/promises';
import { installNative } from '../../src/native-install.ts';

await installNative(JSON.parse(await readFile(process.argv[2] ?? '', 'utf8')));
