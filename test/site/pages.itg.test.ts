import { mkdtemp, readFile, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser, BrowserContext } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runStage } from '../../src/stages/define.ts';
import { site } from '../../src/stages/site.ts';
import { contextOf } from '../registry/world.ts';
import { noChromium, openChromium } from '../report/chromium.ts';
import { expectReadable, Shown, views } from '../report/look.ts';
import { MemoryStorage } from '../store/memory-storage.ts';
import { fullWorld, hostile, longName, now } from './world.ts';

const missing = noChromium();

describe.skipIf(missing !== null)(`the status page in a browser (${missing ?? 'Chromium'})`, () => {
  let browser: Browser;
  let parent: string;
  let folder: string;
  let files: string[];
  beforeAll(async () => {
    parent = await mkdtemp(path.join(os.tmpdir(), 'modelgate-site-'));
    const world = await fullWorld(await MemoryStorage.open());
    folder = path.join(parent, 'site');
    const { outputs } = await runStage(
      site,
      { output: folder, environments: ['staging', 'production'], people: true },
      { ...contextOf(world.registry), now: () => now },
    );
    files = outputs.files ?? [];
    browser = await openChromium();
  });
  afterAll(async () => {
    await browser?.close();
    await rm(parent, { recursive: true, force: true });
  });
  const read = (file: string) => readFile(path.join(folder, file), 'utf8');

  it('can be read on any screen: all models, and one that has seen everything', async () => {
    await expectReadable(browser, await read('index.html'), views);
    await expectReadable(browser, await read('models/flights-late.html'), views);
  });

  it.each([longName, 'never-passed', 'broken'])('can be read on any screen: %s', async (model) => {
    await expectReadable(browser, await read(`models/${model}.html`), [views[1], views[2]]);
  });

  it('shows names and texts of strangers as text', async () => {
    for (const model of ['flights-late', 'never-passed']) {
      await using shown = await Shown.open(browser, await read(`models/${model}.html`), views[0]);
      expect(await shown.page.locator('main script, main img').count()).toBe(0);
      const visible = hostile.replace('\u202e', '');
      expect(await shown.page.locator('main').textContent()).toContain(visible);
      expect(shown.console).toEqual([]);
    }
  });

  it('says on the first screen what needs a look, also on a phone', async () => {
    for (const view of [views[0], views[2]]) {
      await using shown = await Shown.open(browser, await read('index.html'), view);
      const height = shown.page.viewportSize()?.height ?? 0;
      const box = await shown.page.locator('.look li:nth-child(2)').boundingBox();
      expect((box?.y ?? height) + (box?.height ?? 0)).toBeLessThan(height);
      expect(await shown.page.locator('.lead').textContent()).toBe(
        '5 models, 3 in production. 2 need a look.',
      );
    }
  });

  it('can be walked by keyboard, and shows where one is', async () => {
    await using shown = await Shown.open(browser, await read('models/flights-late.html'), views[3]);
    const { reached, unmarked } = await shown.walkByKeyboard();
    expect(reached).toBeGreaterThan(5);
    expect(unmarked).toBe(0);
  });

  it('prints dark on white, with what is folded on the screen', async () => {
    const view = { width: 794, scheme: 'dark' } as const;
    await using shown = await Shown.open(browser, await read('models/flights-late.html'), view);
    await shown.page.emulateMedia({ media: 'print', colorScheme: 'dark' });
    expect((await shown.look('extent')).paper).toBe('rgb(255, 255, 255)');
    expect(await shown.look('faint', 4.5)).toEqual([]);
    const heights = await shown.page
      .locator('details table')
      .evaluateAll((all) => all.map((one) => one.clientHeight));
    expect(Math.min(...heights)).toBeGreaterThan(20);
  });

  /** Follows every link of the first page, and the one back; what was asked for beside the pages is given back. */
  async function walk(context: BrowserContext, root: string, requests: string[]): Promise<string[]> {
    const page = await context.newPage();
    await page.goto(`${root}index.html`);
    const titles: string[] = [];
    const links = page.locator('ul.models a.name');
    for (let index = 0; index < (await links.count()); index += 1) {
      await links.nth(index).click();
      titles.push((await page.locator('h1').textContent()) ?? '');
      await page.locator('.crumb a').click();
      expect(await page.locator('h1').textContent()).toBe('Models');
    }
    expect(requests.filter((url) => !url.startsWith(root))).toEqual([]);
    return titles;
  }

  it.each(['file:', 'https://owner.pages.example/a-repository/'])(
    'has links that work under %s',
    async (root) => {
      const context = await browser.newContext();
      const requests: string[] = [];
      context.on('request', (request) => requests.push(request.url()));
      const base = root === 'file:' ? `${pathToFileURL(folder).href}/` : root;
      if (root !== 'file:')
        await context.route('**/*', async (route) => {
          const file = route.request().url().slice(root.length);
          if (!files.includes(file)) return route.abort();
          await route.fulfill({ body: await read(file), contentType: 'text/html; charset=utf-8' });
        });
      const titles = await walk(context, base, requests);
      expect(titles).toEqual(['broken', 'diamonds', 'flights-late', longName, 'never-passed']);
      await context.close();
    },
  );
});
