import path from 'node:path';
import type { Browser, Page } from 'playwright-core';

export interface View {
  width: number;
  scheme: 'light' | 'dark';
}

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
