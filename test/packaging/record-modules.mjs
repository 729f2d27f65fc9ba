// Writes the URL of every module that this process loads into MODULES_FILE: node --import this-file main.js
import { writeFileSync } from 'node:fs';
import { registerHooks } from 'node:module';

const loaded = [];
registerHooks({
  load(url, context, next) {
    loaded.push(url);
    return next(url, context);
  },
});
process.on('exit', () => writeFileSync(process.env.MODULES_FILE, JSON.stringify(loaded)));
