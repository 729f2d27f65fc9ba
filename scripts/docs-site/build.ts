/**
 * Builds the docs site from docs/ and a few pages beside it: `npm run docs:site [-- --output DIR] [--base /PATH/]`.
 * With --install it only installs the generator.
 */
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { installGenerator } from './generator.ts';
import { repository, sidebar, sitePages } from './pages.ts';
import type { Site } from './vitepress/config.ts';

const root = path.join(import.meta.dirname, '../..');

export interface SiteBuild {
  /** Replaced whole. */
  output: string;
  /** The path under which the site is served, with a slash at both ends. */
  base: string;
}

/** Builds in a folder beside the generator's packages, so that nothing but `output` is written in the checkout. */
export async function buildSite({ output, base }: SiteBuild): Promise<Site> {
  if (!/^\/([\w.-]+\/)*$/.test(base)) throw new Error(`--base is a path like /docs/, not ${base}`);
  const packages = await installGenerator();
  const folder = await mkdtemp(path.join(packages, 'build-'));
  try {
    const pages = await sitePages(root);
    await cp(path.join(root, 'docs/images'), path.join(folder, 'images'), { recursive: true });
    await cp(path.join(import.meta.dirname, 'vitepress'), path.join(folder, '.vitepress'), {
      recursive: true,
    });
    for (const [source, page] of Object.entries(pages)) {
      await cp(path.join(root, source), path.join(folder, page));
    }
    const site = {
      base,
      output: path.resolve(output),
      repository,
      pages,
      sidebar: await sidebar(root, pages),
    };
    await writeFile(path.join(folder, '.vitepress/site.json'), JSON.stringify(site));
    const { build } = (await import(
      pathToFileURL(path.join(packages, 'node_modules/vitepress/dist/node/index.js')).href
    )) as { build: (folder: string) => Promise<void> };
    process.env.NODE_ENV = 'production';
    await build(folder);
    await rm(path.join(site.output, 'hashmap.json'), { force: true });
    return site;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      output: { type: 'string', default: '_site' },
      base: { type: 'string', default: '/' },
      install: { type: 'boolean', default: false },
    },
  });
  if (values.install) await installGenerator();
  else {
    const { pages, output } = await buildSite(values);
    console.log(`${Object.keys(pages).length} pages in ${output}`);
  }
}
