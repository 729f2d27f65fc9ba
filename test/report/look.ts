import path from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { expect } from 'vitest';

export interface View {
  width: number;
  scheme: 'light' | 'dark';
}

/** A desk and a phone, in light and dark. */
export const views = [
  { width: 1280, scheme: 'light' },
  { width: 1280, scheme: 'dark' },
  { width: 390, scheme: 'light' },
  { width: 390, scheme: 'dark' },
] as const satisfies View[];

/** What in-page.js measures, by its functions' names. */
interface Looks {
  misplaced: string[];
  faint: string[];
  structure: { headings: number[]; unnamed: string[] };
  focusMark: boolean | null;
  painted: string[];
  unfold: null;
  extent: { width: number; paper: string };
}

/** A page in a browser, with all that it tried to do. */
export class Shown implements AsyncDisposable {
  readonly page: Page;
  /** Addresses that it asked for; each was refused. */
  readonly requests: string[] = [];
  readonly console: string[] = [];

  private constructor(page: Page) {
    this.page = page;
    page.on('console', (message) => this.console.push(message.text()));
    page.on('pageerror', (error) => this.console.push(String(error)));
    page.on('dialog', (dialog) => {
      this.console.push(`dialog: ${dialog.message()}`);
      return dialog.dismiss();
    });
  }

  static async open(browser: Browser, markup: string, { width, scheme }: View): Promise<Shown> {
    const viewport = { width, height: width < 500 ? 844 : 900 };
    const context = await browser.newContext({ viewport, colorScheme: scheme });
    await context.addInitScript({ path: path.join(import.meta.dirname, 'in-page.js') });
    const shown = new Shown(await context.newPage());
    const address = 'http://report.example/';
    await context.route('**/*', (route) => {
      const url = route.request().url();
      if (url === address) return route.fulfill({ body: markup, contentType: 'text/html; charset=utf-8' });
      shown.requests.push(url);
      return route.abort();
    });
    await shown.page.goto(address);
    return shown;
  }

  /** Calls a function of in-page.js in the page. */
  look<Name extends keyof Looks>(name: Name, argument?: string | number): Promise<Looks[Name]> {
    return this.page.evaluate<Looks[Name]>(`look.${name}(${JSON.stringify(argument) ?? ''})`);
  }

  /** How many elements the Tab key reaches, and how many of them do not show it. */
  async walkByKeyboard(): Promise<{ reached: number; unmarked: number }> {
    let [reached, unmarked] = [0, 0];
    for (;;) {
      await this.page.keyboard.press('Tab');
      const mark = await this.look('focusMark');
      if (mark === null) return { reached, unmarked };
      reached++;
      if (!mark) unmarked++;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.page.context().close();
  }
}

/**
 * Looks at a page in each view, all that is folded open: nothing is cut, faint, without a name or in disorder, and the
 * page asked for nothing.
 */
export async function expectReadable(browser: Browser, markup: string, from: readonly View[]): Promise<void> {
  for (const view of from) {
    await using shown = await Shown.open(browser, markup, view);
    const where = `${view.width} px, ${view.scheme}`;
    await shown.look('unfold');
    expect((await shown.look('extent')).width, where).toBe(view.width);
    expect(await shown.look('misplaced'), where).toEqual([]);
    expect(await shown.look('faint', 4.5), where).toEqual([]);
    const { headings, unnamed } = await shown.look('structure');
    expect(unnamed, where).toEqual([]);
    expect(headings[0]).toBe(1);
    headings.slice(1).forEach((level, i) => {
      expect(level, where).toBeGreaterThan(1);
      expect(level - (headings[i] ?? 0), where).toBeLessThanOrEqual(1);
    });
    expect(shown.requests, where).toEqual([]);
    expect(shown.console, where).toEqual([]);
  }
}
