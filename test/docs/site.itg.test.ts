import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { glob, mkdtemp, readFile, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { generator } from '../../scripts/docs-site/generator.ts';
import { sitePages } from '../../scripts/docs-site/pages.ts';
import { noChromium, openChromium } from '../report/chromium.ts';
import { views } from '../report/look.ts';
import { base, SitePage } from './built-site.ts';

// under CI it is installed first (scripts/install-tools.sh), and what it cannot install is an error
const missing =
  process.env.CI || (await generator()) !== null
    ? noChromium()
    : 'no VitePress: run scripts/install-tools.sh';

describe.skipIf(missing !== null)(`the docs site (${missing ?? 'VitePress, Chromium'})`, () => {
  let browser: Browser;
  let folder: string;
  let pages: Record<string, string>;
  const html = new Map<string, string>();
  beforeAll(async () => {
    folder = path.join(await mkdtemp(path.join(os.tmpdir(), 'modelgate-docs-')), 'site');
    const { NODE_ENV: _, ...env } = process.env; // VitePress builds for users
    const { stderr } = await promisify(execFile)(
      process.execPath,
      ['scripts/docs-site/build.ts', '--output', folder, '--base', base],
      { env },
    );
    expect(stderr).not.toMatch(/error|warn/i);
    pages = await sitePages('.');
    for await (const file of glob('**/*.html', { cwd: folder })) {
      html.set(file, await readFile(path.join(folder, file), 'utf8'));
    }
    browser = await openChromium();
  });
  afterAll(async () => {
    await browser?.close();
    if (folder !== undefined) await rm(path.dirname(folder), { recursive: true, force: true });
  });

  it('has every page of the repository, under its first heading', async () => {
    expect(Object.keys(pages).length).toBeGreaterThan(40);
    for (const [source, page] of Object.entries(pages)) {
      const heading = /^# (.+)$/m.exec(await readFile(source, 'utf8'))?.[1] ?? '';
      const text = html.get(page.replace(/\.md$/, '.html')) ?? '';
      const shown = /<h1[^>]*>(.*?)<a class="header-anchor"/s.exec(text)?.[1] ?? '';
      expect(plain(shown), source).toBe(heading.replaceAll('`', ''));
    }
  });

  it('has no link to a page or a heading that is not there', () => {
    const dead: string[] = [];
    let looked = 0;
    for (const [file, text] of html) {
      for (const [, href = ''] of text.matchAll(/<a\b[^>]*?\shref="([^"]*)"/g)) {
        if (/^https?:/.test(href)) continue;
        looked++;
        const url = new URL(href.replaceAll('&amp;', '&'), `http://docs.example${base}${file}`);
        const target = url.pathname.slice(base.length) || 'index.html';
        const page = url.pathname.startsWith(base) ? html.get(target) : undefined;
        const anchor = decodeURIComponent(url.hash.slice(1));
        if (page === undefined || (anchor !== '' && !page.includes(` id="${anchor}"`))) {
          dead.push(`${file}: ${href}`);
        }
      }
    }
    expect(dead).toEqual([]);
    expect(looked).toBeGreaterThan(1000);
  });

  it('leaves expressions of workflows as they are written', () => {
    expect(plain(html.get('actions/authorize.html') ?? '')).toContain('$' + '{{ github.token }}');
  });

  it.each(views)('can be read at $width px, $scheme, and asks for nothing outside', async (view) => {
    for (const file of ['', 'start.html']) {
      await using shown = await SitePage.open(browser, folder, file, view);
      const dark = await shown.page.locator('html.dark').count();
      expect(dark, file).toBe(view.scheme === 'dark' ? 1 : 0);
      expect(await shown.page.evaluate('document.documentElement.scrollWidth'), file).toBe(view.width);
      expect(await shown.look<string[]>('faint(4.5)'), file).toEqual([]);
      expect(shown.missed, file).toEqual([]);
      expect(shown.console, file).toEqual([]);
    }
  });

  it('keeps wide tables inside of a narrow screen', async () => {
    for (const file of ['workflows.html', 'configuration-fields.html']) {
      await using shown = await SitePage.open(browser, folder, file, views[3]);
      expect(await shown.page.evaluate('document.documentElement.scrollWidth'), file).toBe(views[3].width);
      expect([...shown.missed, ...shown.console], file).toEqual([]);
    }
  });

  it.each([views[0], views[3]])('finds "rollback" at $width px without a network', async (view) => {
    await using shown = await SitePage.open(browser, folder, '', view);
    await shown.page.locator('#local-search button').click();
    await shown.page.locator('.VPLocalSearchBox input').fill('rollback');
    const results = shown.page.locator('.VPLocalSearchBox .result');
    await results.first().waitFor();
    expect((await results.allTextContents()).join(' ').toLowerCase()).toContain('rollback');
    await results.first().click();
    await shown.page.waitForURL(/\.html/);
    expect((await shown.page.locator('main').textContent())?.toLowerCase()).toContain('rollback');
    expect(shown.missed).toEqual([]);
    expect(shown.console).toEqual([]);
  });

  it('writes nothing into the checkout but its output', () => {
    expect(readdirSync('docs').filter((name) => name.startsWith('.'))).toEqual([]);
    expect(
      readdirSync('scripts/docs-site').filter((name) => /^(node_modules|cache|dist)$/.test(name)),
    ).toEqual([]);
  });
});

/** The text of markup. */
function plain(markup: string): string {
  const named: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'" };
  return markup
    .replace(/<[^>]*>/g, '')
    .replace(/&(#?\w+);/g, (whole, name: string) => named[name] ?? whole)
    .trim();
}
