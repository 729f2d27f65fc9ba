import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';

const here = import.meta.dirname;
const tools =
  process.env.MODELGATE_TOOLS ??
  path.join(process.env.XDG_CACHE_HOME ?? path.join(os.homedir(), '.cache'), 'modelgate-tools');

/** Where the packages of this folder's lock are installed: outside of the checkout, one folder a lock. */
async function folderOf(lock: string): Promise<string> {
  const digest = createHash('sha256')
    .update(await readFile(lock))
    .digest('hex');
  return path.join(tools, `docs-site-${digest.slice(0, 16)}`);
}

/** The folder with VitePress in its node_modules; null where it was not installed. */
export async function generator(): Promise<string | null> {
  const folder = await folderOf(path.join(here, 'package-lock.json'));
  return existsSync(path.join(folder, 'node_modules/vitepress')) ? folder : null;
}

/** Installs by the lock, without install scripts. Whoever is done first wins; a half-done folder is never taken. */
export async function installGenerator(): Promise<string> {
  const there = await generator();
  if (there !== null) return there;
  await mkdir(tools, { recursive: true });
  const folder = await folderOf(path.join(here, 'package-lock.json'));
  const temporary = await mkdtemp(path.join(tools, 'docs-site-new-'));
  try {
    for (const file of ['package.json', 'package-lock.json']) {
      await cp(path.join(here, file), path.join(temporary, file));
    }
    execFileSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], {
      cwd: temporary,
      stdio: ['ignore', process.stderr, process.stderr],
    });
    await rename(temporary, folder).catch(async (error: unknown) => {
      if ((await generator()) === null) throw error;
    });
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
  return folder;
}
