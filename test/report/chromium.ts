import { spawnSync } from 'node:child_process';
import { type Browser, chromium } from 'playwright-core';

const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
const inApplications = [
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];

function findChromium(): string | null {
  const runs = (program: string) => spawnSync(program, ['--version']).status === 0;
  return [...names, ...inApplications].find(runs) ?? null;
}

const program = findChromium();

/** What is said when there is no Chromium to look at pages with; null when there is one. Under CI there must be one. */
export function noChromium(): string | null {
  if (process.env.CI || program !== null) return null;
  return 'no Chromium: run scripts/install-tools.sh';
}

/** A browser without a profile, which asks for nothing by itself. The caller closes it. */
export async function openChromium(): Promise<Browser> {
  if (program === null) throw new Error('There is no Chromium: run scripts/install-tools.sh');
  return chromium.launch({
    executablePath: resolve(program),
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}

/** The full path of a program, which playwright asks for. */
function resolve(name: string): string {
  if (name.startsWith('/')) return name;
  return spawnSync('which', [name], { encoding: 'utf8' }).stdout.trim();
}
