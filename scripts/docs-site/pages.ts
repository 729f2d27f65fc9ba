import { glob, readFile } from 'node:fs/promises';
import path from 'node:path';
import { linksIn, readPage, textOf } from './markdown.ts';
import type { Site } from './vitepress/config.ts';
import { siteLink } from './vitepress/site-link.ts';

export const repository = 'https://github.com/modelgate/modelgate';
const start = 'docs/README.md';
/** Pages that stand elsewhere, because people and GitHub look for them there. */
const elsewhere: Readonly<Record<string, string>> = {
  'SECURITY.md': 'security-policy.md',
  'CONTRIBUTING.md': 'contributing.md',
  'CHANGELOG.md': 'changelog.md',
};

/** Every page of the site: its file in the repository → its place on the site. */
export async function sitePages(root: string): Promise<Record<string, string>> {
  const pages: Record<string, string> = { ...elsewhere };
  for (const pattern of ['docs/**/*.md', 'actions/*/README.md']) {
    for await (const file of glob(pattern, { cwd: root })) {
      const source = file.split(path.sep).join('/');
      pages[source] = place(source);
    }
  }
  return Object.fromEntries(Object.entries(pages).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function place(source: string): string {
  if (source === start) return 'index.md';
  const action = /^actions\/([^/]+)\/README\.md$/.exec(source)?.[1];
  return action === undefined ? source.replace(/^docs\//, '') : `actions/${action}.md`;
}

/** The navigation is docs/README.md itself: a second-level heading is a group, the first link of an item its page. */
export async function sidebar(root: string, pages: Site['pages']): Promise<Site['sidebar']> {
  const groups: { text: string; items: { text: string; link: string }[] }[] = [];
  for (const block of readPage(await readFile(path.join(root, start), 'utf8')).blocks) {
    if (block.type === 'heading' && block.depth === 2) groups.push({ text: textOf(block), items: [] });
    if (block.type !== 'list') continue;
    for (const item of block.children) {
      const [first] = linksIn(item);
      if (first === undefined) continue;
      const link = siteLink(start, first.href, { pages, repository });
      groups.at(-1)?.items.push({ text: first.text, link });
    }
  }
  return groups.filter(({ items }) => items.length > 0);
}
