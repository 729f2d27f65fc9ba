import { existsSync, statSync } from 'node:fs';
import { glob, readFile } from 'node:fs/promises';
import path from 'node:path';
import { readPage } from '../../scripts/docs-site/markdown.ts';

const ours =
  /^https:\/\/(?:github\.com\/modelgate\/modelgate\/(?:blob|tree)|raw\.githubusercontent\.com\/modelgate\/modelgate)\/main\//;
const loopback = /^http:\/\/(?:localhost|127\.0\.0\.1)(?::\d+)?(?:\/|$)/;
const pages = [
  '*.md',
  'docs/**/*.md',
  'actions/*/README.md',
  'examples/**/*.md',
  'bench/**/*.md',
  'chaos/**/*.md',
  'test/**/*.md',
];
/** Files that name pages of docs/ in comments, descriptions and messages. */
const texts = [
  '*.yml',
  'actions/**/*.{yml,ts}',
  'bot/**/*.{yml,ts}',
  'src/**/*.{yaml,ts,py}',
  'scripts/**/*.{sh,ts}',
  'workflows-templates/*',
  'examples/**/*.{yaml,ts}',
];

/** What is wrong with the links of a repository's pages, and with the pages and tests that its texts name. */
export async function deadLinks(root: string): Promise<{ looked: number; dead: string[] }> {
  const read = new Map<string, ReturnType<typeof readPage>>();
  const pageAt = async (file: string) => {
    const known = read.get(file) ?? readPage(await readFile(path.join(root, file), 'utf8'));
    read.set(file, known);
    return known;
  };
  const dead: string[] = [];
  let looked = 0;
  const look = async (from: string, target: string, anchor: string, as: string) => {
    looked++;
    const inside = target === '' ? '.' : target;
    if (inside.startsWith('../') || !existsSync(path.join(root, inside))) {
      dead.push(`${from}: ${as}: there is no ${target}`);
    } else if (anchor !== '' && target.endsWith('.md') && !(await pageAt(target)).anchors.has(anchor)) {
      dead.push(`${from}: ${as}: ${target} has no heading ${anchor}`);
    }
  };

  for (const file of await filesOf(root, pages)) {
    for (const { href, line } of (await pageAt(file)).links) {
      const from = `${file}:${line}`;
      const place = ours.test(href) ? `/${href.replace(ours, '')}` : href;
      if (/^[a-z][a-z0-9+.-]*:/i.test(place)) {
        looked++;
        if (!isAddress(place)) dead.push(`${from}: ${href}: not an address of https`);
        continue;
      }
      const [name = '', anchor = ''] = place.split('#', 2).map(decodeURIComponent);
      const folder = name.startsWith('/') ? '' : path.posix.dirname(file);
      const target = name === '' ? file : path.posix.join(folder, name.replace(/^\//, ''));
      await look(from, target.replace(/\/$/, ''), anchor, href);
    }
    const text = await readFile(path.join(root, file), 'utf8');
    for (const [name] of text.matchAll(/(?<![\w./-])test\/[\w./-]+\.ts\b/g)) await look(file, name, '', name);
  }
  for (const file of await filesOf(root, texts)) {
    const text = await readFile(path.join(root, file), 'utf8');
    for (const [named, name = '', anchor = ''] of text.matchAll(
      /(?<![\w./-])(docs\/[\w./-]+\.md)(?:#([\w-]+))?/g,
    )) {
      await look(file, name, anchor, named);
    }
  }
  return { looked, dead };
}

function isAddress(text: string): boolean {
  if (loopback.test(text)) return true;
  const url = URL.parse(text);
  return url?.protocol === 'https:' && url.hostname.includes('.') && !/\s/.test(text);
}

async function filesOf(root: string, patterns: readonly string[]): Promise<string[]> {
  const found = new Set<string>();
  for await (const file of glob(patterns, { cwd: root, exclude: ['**/node_modules/**'] })) {
    if (statSync(path.join(root, file)).isFile()) found.add(file.split(path.sep).join('/'));
  }
  return [...found].sort();
}
