import type { Nodes, RootContent } from 'mdast';
import { fromMarkdown } from 'mdast-util-from-markdown';
import { gfmFromMarkdown } from 'mdast-util-gfm';
import { gfm } from 'micromark-extension-gfm';
import { slug } from './vitepress/slug.ts';

export interface Link {
  text: string;
  href: string;
  line: number;
}

/** A page as GitHub reads it. */
export interface Page {
  /** What can stand behind `#` in a link to it. */
  anchors: ReadonlySet<string>;
  links: readonly Link[];
  blocks: readonly RootContent[];
}

export function readPage(markdown: string): Page {
  const root = fromMarkdown(markdown, { extensions: [gfm()], mdastExtensions: [gfmFromMarkdown()] });
  const anchors = new Set<string>();
  const links: Link[] = [];
  const definitions = new Map<string, string>();
  const visit = (node: Nodes): void => {
    if (node.type === 'heading') anchors.add(unused(slug(textOf(node)), anchors));
    if (node.type === 'definition') definitions.set(node.identifier, node.url);
    if (node.type === 'link' || node.type === 'image') links.push(linkOf(node, node.url));
    if (node.type === 'html') {
      for (const [, id = ''] of node.value.matchAll(/\s(?:id|name)="([^"]*)"/g)) anchors.add(id);
      for (const [, href = ''] of node.value.matchAll(/\s(?:href|src)="([^"]*)"/g)) {
        links.push({ text: '', href, line: node.position?.start.line ?? 0 });
      }
    }
    if ('children' in node) node.children.forEach(visit);
  };
  visit(root);
  // a definition is a link whether it is used or not
  for (const [name, href] of definitions) links.push({ text: name, href, line: 0 });
  return { anchors, links, blocks: root.children };
}

/** The links of a part of a page, in order. */
export function linksIn(node: Nodes): Link[] {
  if (node.type === 'link') return [linkOf(node, node.url)];
  return 'children' in node ? node.children.flatMap(linksIn) : [];
}

export function textOf(node: Nodes): string {
  if ('value' in node) return node.type === 'html' ? '' : node.value;
  if (node.type === 'image') return '';
  return 'children' in node ? node.children.map(textOf).join('') : '';
}

const linkOf = (node: Nodes, href: string): Link => ({
  text: textOf(node),
  href,
  line: node.position?.start.line ?? 0,
});

/** GitHub numbers headings of the same text. */
function unused(wanted: string, taken: ReadonlySet<string>): string {
  let anchor = wanted;
  for (let i = 1; taken.has(anchor); i++) anchor = `${wanted}-${i}`;
  return anchor;
}
