#!/usr/bin/env node
// Finds Node 24 and the built command line (or the sources of a clone), and says how to get them.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = path.join(path.dirname(fileURLToPath(import.meta.url)), '..');
const sources = path.join(root, 'src', 'cli', 'main.ts');
const built = path.join(root, 'dist', 'cli.js');
const entry = existsSync(sources) ? sources : built;

if (Number(process.versions.node.split('.')[0]) >= 24) {
  const { main } = await import(pathToFileURL(entry).href);
  process.exitCode = await main(process.argv.slice(2));
} else {
  const node24 = findNode24();
  if (node24 === undefined) {
    console.error(
      `modelgate needs Node 24; this is ${process.version}.\nInstall it from https://nodejs.org, or run: npm install --save-dev node@24`,
    );
    process.exitCode = 1;
  } else {
    const child = spawn(node24, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], {
      stdio: 'inherit',
    });
    // Ctrl-C reaches the child by itself: wait for what it says. Other requests to stop are passed on.
    process.on('SIGINT', () => {});
    process.on('SIGTERM', () => child.kill('SIGTERM'));
    process.exitCode = await new Promise((resolve) => {
      child.once('error', (error) => {
        console.error(`modelgate: ${node24} cannot be started: ${error.message}`);
        resolve(1);
      });
      child.once('close', (code, signal) => resolve(code ?? (signal === 'SIGINT' ? 130 : 1)));
    });
  }
}

/** The npm package `node` carries a Node of its own. */
function findNode24() {
  for (const from of [path.join(root, 'package.json'), path.join(process.cwd(), 'package.json')]) {
    try {
      const file = path.join(path.dirname(createRequire(from).resolve('node/package.json')), 'bin', 'node');
      if (existsSync(file)) return file;
    } catch {
      // not installed there
    }
  }
  return undefined;
}
