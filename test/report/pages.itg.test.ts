import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { gateHtml } from '../../src/gate/report-html.ts';
import { recordOf } from '../gate/report-world.ts';
import { noChromium, openChromium } from './chromium.ts';
import { type DriftPageMade, driftPageOf, hostileLevel, hostileName } from './drift-world.ts';
import { expectReadable, Shown, views } from './look.ts';

const missing = noChromium();
const [wideLight, wideDark, phoneLight, phoneDark] = views;

describe.skipIf(missing !== null)(`reports in a browser (${missing ?? 'Chromium'})`, () => {
  let browser: Browser;
  let made: Promise<DriftPageMade> | undefined;
  const theMoved = () => (made ??= driftPageOf({}));
  beforeAll(async () => {
    browser = await openChromium();
  });
  afterAll(async () => {
    await browser?.close();
  });

  it('can be read on any screen: what moved', async () => {
    const moved = await theMoved();
    const { drifted, schema_differences: schema } = moved.report;
    expect(drifted).toEqual(
      expect.arrayContaining(['arrival_delay', 'carrier', 'humidity', hostileName, 'wind_gust']),
    );
    expect(schema).toMatchObject({ missing: ['lost_column'], unexpected: ['gate_number'] });
    await expectReadable(browser, moved.page, [wideLight, wideDark, phoneLight, phoneDark]);
  });

  it.each([
    ['nothing moved', { moved: false }],
    ['not decidable', { moved: false, days: 4 }],
    ['rows without times', { time: null }],
  ])('can be read on any screen: %s', async (_, planted) => {
    await expectReadable(browser, (await driftPageOf(planted)).page, [wideDark, phoneLight]);
  });

  it("can be read on any screen: the gate's report", async () => {
    const values = ['UA', 'A rather long name of a carrier', null, hostileLevel, 'WWWWWWWWWWWWWWWWWWWWWWWW'];
    const markup = gateHtml(recordOf({ values, harm: 0.1, name: hostileName }));
    await expectReadable(browser, markup, [wideLight, wideDark, phoneLight, phoneDark]);
  });

  it('say on the first screen what moved and what to do, also on a phone', async () => {
    const moved = await theMoved();
    for (const view of [wideLight, phoneLight]) {
      await using shown = await Shown.open(browser, moved.page, view);
      const { page } = shown;
      const height = page.viewportSize()?.height ?? 0;
      for (const selector of ['h1', '.next', '.moved li:nth-child(2)']) {
        const box = await page.locator(selector).boundingBox();
        expect((box?.y ?? height) + (box?.height ?? 0), selector).toBeLessThan(height);
      }
      expect(await page.locator('.next').textContent()).toContain('Mend the data');
      expect(await page.locator('.moved a').allTextContents()).toEqual(moved.report.drifted);
      for (const link of await page.locator('header a').all()) {
        const target = (await link.getAttribute('href')) ?? '';
        expect(await page.locator(target).count(), target).toBe(1);
      }
    }
  });

  it('show names and values of the data as text', async () => {
    const moved = await theMoved();
    await using shown = await Shown.open(browser, moved.page, wideLight);
    const { page } = shown;
    expect(await page.locator('main script, main img').count()).toBe(0);
    expect(await page.locator('h2').allTextContents()).toContainEqual(expect.stringContaining(hostileName));
    expect(await page.locator('svg title').allTextContents()).toContainEqual(
      expect.stringContaining(hostileLevel),
    );
  });

  it('tell both sides of a distribution apart without colour', async () => {
    const moved = await theMoved();
    await using shown = await Shown.open(browser, moved.page, wideLight);
    expect(new Set(await shown.look('painted', 'svg .one'))).toEqual(new Set(['empty, line']));
    expect(new Set(await shown.look('painted', 'svg .two'))).toEqual(new Set(['filled, no line']));
  });

  it('can be walked by keyboard, and show where one is', async () => {
    const moved = await theMoved();
    await using shown = await Shown.open(browser, moved.page, phoneDark);
    const { reached, unmarked } = await shown.walkByKeyboard();
    expect(reached).toBeGreaterThan(moved.report.drifted.length);
    expect(unmarked).toBe(0);
  });

  it('print dark on white, with what is folded on the screen', async () => {
    const moved = await theMoved();
    await using shown = await Shown.open(browser, moved.page, { width: 794, scheme: 'dark' });
    const { page } = shown;
    await page.emulateMedia({ media: 'print', colorScheme: 'dark' });
    expect((await shown.look('extent')).paper).toBe('rgb(255, 255, 255)');
    expect(await shown.look('faint', 4.5)).toEqual([]);
    const heights = await page
      .locator('details table')
      .evaluateAll((all) => all.map((one) => one.clientHeight));
    expect(heights.length).toBeGreaterThan(3);
    expect(Math.min(...heights)).toBeGreaterThan(20);
  });
});
