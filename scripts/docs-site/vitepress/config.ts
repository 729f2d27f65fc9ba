/**
 * VitePress reads this file beside site.json, both in the folder that ../build.ts makes. So it imports nothing but its
 * neighbours, and names the little that it needs of VitePress itself.
 */
import { readFileSync } from 'node:fs';
import { type SiteLinks, siteLink } from './site-link.ts';
import { slug } from './slug.ts';

/** site.json. */
export interface Site extends SiteLinks {
  base: string;
  output: string;
  sidebar: readonly { text: string; items: readonly { text: string; link: string }[] }[];
}

/** Of markdown-it. */
interface Token {
  type: string;
  content: string;
  attrGet(name: string): string | null;
  attrSet(name: string, value: string): void;
  children: Token[] | null;
}
interface Parsed {
  tokens: Token[];
  env: { relativePath?: string };
}
interface Markdown {
  core: { ruler: { push(name: string, rule: (parsed: Parsed) => void): void } };
  utils: { escapeHtml(text: string): string };
}

const site = JSON.parse(readFileSync(new URL('./site.json', import.meta.url), 'utf8')) as Site;
const sources = new Map(Object.entries(site.pages).map(([source, page]) => [page, source]));

function asOnGitHub({ core, utils }: Markdown): void {
  core.ruler.push('links', ({ tokens, env }) => {
    const source = sources.get(env.relativePath ?? '');
    if (source === undefined) return;
    for (const token of inline(tokens, 'link_open')) {
      token.attrSet('href', siteLink(source, token.attrGet('href') ?? '', site));
    }
  });
  // Vue would compute what stands between double braces
  core.ruler.push('braces', ({ tokens }) => {
    for (const token of inline(tokens, 'code_inline')) token.attrSet('v-pre', '');
    for (const token of inline(tokens, 'text')) {
      if (!token.content.includes('{{')) continue;
      token.type = 'html_inline';
      token.content = `<span v-pre>${utils.escapeHtml(token.content)}</span>`;
    }
  });
}

const inline = (tokens: readonly Token[], type: string) =>
  tokens.flatMap(({ children }) => children ?? []).filter((token) => token.type === type);

/** The browser itself holds the pages to what they promise: nothing is asked of another host. */
const policy = [
  "default-src 'self'",
  "script-src 'self' 'unsafe-inline'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "base-uri 'self'",
  "form-action 'none'",
].join('; ');

const icon =
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><path d="M2 14V5l6-3 6 3v9h-3V8H5v6z" fill="#3451b2"/></svg>';

export default {
  lang: 'en',
  title: 'ModelGate',
  description: 'An MLOps pipeline native to GitHub',
  base: site.base,
  outDir: site.output,
  head: [
    ['meta', { 'http-equiv': 'Content-Security-Policy', content: policy }],
    ['link', { rel: 'icon', href: `data:image/svg+xml,${encodeURIComponent(icon)}` }],
  ],
  markdown: {
    anchor: { slugify: slug },
    theme: { light: 'github-light-high-contrast', dark: 'github-dark-high-contrast' },
    config: asOnGitHub,
  },
  // the page's file in the repository, for the link to edit it
  transformPageData: ({ relativePath }: { relativePath: string }) => ({
    filePath: sources.get(relativePath),
  }),
  themeConfig: {
    nav: [
      { text: 'Start', link: '/start.md' },
      { text: 'Commands', link: '/cli.md' },
      { text: 'Repository', link: site.repository },
    ],
    sidebar: site.sidebar,
    outline: [2, 3],
    search: { provider: 'local' },
    editLink: { pattern: `${site.repository}/edit/main/:path`, text: 'Edit this page on GitHub' },
  },
};
