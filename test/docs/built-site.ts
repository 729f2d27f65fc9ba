import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Browser, Page } from 'playwright-core';
import type { View } from '../report/look.ts';

/** Not the root: every address of the site must carry it. */
export const base = '/modelgate/';
const host = 'http://docs.example';

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.json': 'application/json',
};

/** A page of the built site in a browser that reaches nothing else. */
export class SitePage implements AsyncDisposable {
  readonly page: Page;
  /** Addresses outside of the site, and files that it lacks; each was refused. */
  readonly missed: string[] = [];
  readonly console: string[] = [];

  private constructor(page: Page) {
    this.page = page;
    page.on('console', (message) => this.console.push(message.text()));
    page.on('pageerror', (error) => this.console.push(String(error)));
  }

  static async open(
    browser: Browser,
    folder: string,
    file: string,
    { width, scheme }: View,
  ): Promise<SitePage> {
    const viewport = { width, height: width < 500 ? 844 : 900 };
    const context = await browser.newContext({ viewport, colorScheme: scheme, reducedMotion: 'reduce' });
    await context.addInitScript({ path: path.join(import.meta.dirname, '../report/in-page.js') });
    const shown = new SitePage(await context.newPage());
    await context.route('**/*', async (route) => {
      const url = new URL(route.request().url());
      if (url.origin === host && url.pathname.startsWith(base)) {
        const name = url.pathname.slice(base.length) || 'index.html';
        const body = await readFile(path.join(folder, name)).catch(() => null);
        const contentType = types[path.extname(name)];
        if (body !== null && contentType !== undefined) return route.fulfill({ body, contentType });
      }
      shown.missed.push(url.href);
      return route.abort();
    });
    await shown.page.goto(`${host}${base}${file}`, { waitUntil: 'networkidle' });
    return shown;
  }

  look<T>(call: string): Promise<T> {
    return this.page.evaluate<T>(`look.${call}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.page.context().close();
  }
}
