import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readPage } from '../../scripts/docs-site/markdown.ts';
import { sidebar, sitePages } from '../../scripts/docs-site/pages.ts';
import { siteLink } from '../../scripts/docs-site/vitepress/site-link.ts';
import { slug } from '../../scripts/docs-site/vitepress/slug.ts';
import { deadLinks } from './repository-links.ts';

describe('the links of the docs', () => {
  it('lead to files and headings that are there', async () => {
    const { looked, dead } = await deadLinks('.');
    expect(dead).toEqual([]);
    expect(looked).toBeGreaterThan(200);
  });

  it('reach every page from docs/README.md, which is the navigation of the site', async () => {
    const pages = await sitePages('.');
    const listed = (await sidebar('.', pages)).flatMap(({ items }) => items.map(({ link }) => link));
    const wanted = Object.values(pages).filter((page) => !page.startsWith('actions/') && page !== 'index.md');
    expect(wanted.filter((page) => !listed.includes(`/${page}`))).toEqual([]);
    expect(new Set(listed).size).toBe(listed.length);
  });
});

describe('a dead link', () => {
  let root: string;
  beforeAll(async () => {
    root = await mkdtemp(path.join(os.tmpdir(), 'modelgate-links-'));
    await mkdir(path.join(root, 'docs/tasks'), { recursive: true });
    await mkdir(path.join(root, 'src'));
    await writeFile(path.join(root, 'docs/gate.md'), '# The gate\n\n## By hand\n');
  });
  afterAll(() => rm(root, { recursive: true, force: true }));

  it.each([
    ['[a](missing.md)', 'docs/tasks/x.md:1: missing.md: there is no docs/tasks/missing.md'],
    ['[a](../gate.md#nowhere)', 'docs/tasks/x.md:1: ../gate.md#nowhere: docs/gate.md has no heading nowhere'],
    ['[a](#gone)', 'docs/tasks/x.md:1: #gone: docs/tasks/x.md has no heading gone'],
    ['![a](../images/a.png)', 'docs/tasks/x.md:1: ../images/a.png: there is no docs/images/a.png'],
    ['[a]\n\n[a]: gone.md', 'docs/tasks/x.md:0: gone.md: there is no docs/tasks/gone.md'],
    ['<a href="gone.md">a</a>', 'docs/tasks/x.md:1: gone.md: there is no docs/tasks/gone.md'],
    ['[a](../../../outside.md)', 'docs/tasks/x.md:1: ../../../outside.md: there is no ../outside.md'],
    ['[a](https://)', 'docs/tasks/x.md:1: https://: not an address of https'],
    ['[a](http://example.com)', 'docs/tasks/x.md:1: http://example.com: not an address of https'],
    ['[a](javascript:alert(1))', 'docs/tasks/x.md:1: javascript:alert(1): not an address of https'],
    ['shown by test/gone.test.ts', 'docs/tasks/x.md: test/gone.test.ts: there is no test/gone.test.ts'],
    [
      '[a](https://github.com/modelgate/modelgate/blob/main/src/gone.ts)',
      'docs/tasks/x.md:1: https://github.com/modelgate/modelgate/blob/main/src/gone.ts: there is no src/gone.ts',
    ],
  ])('is found: %s', async (text, said) => {
    await writeFile(path.join(root, 'docs/tasks/x.md'), text);
    expect((await deadLinks(root)).dead).toContain(said);
  });

  it('is found in a comment of a source', async () => {
    await writeFile(path.join(root, 'docs/tasks/x.md'), '');
    await writeFile(path.join(root, 'src/a.ts'), '// see docs/gate.md#by-hand and docs/gone.md\n');
    expect((await deadLinks(root)).dead).toEqual(['src/a.ts: docs/gone.md: there is no docs/gone.md']);
  });

  it('is not: what is right, and what only looks like a link', async () => {
    const text =
      '# A `b` c\n[a](../gate.md#by-hand) [b](#a-b-c) [c](https://example.com/x#y) [d](http://127.0.0.1:8080)\n`[e](gone.md)`';
    await writeFile(path.join(root, 'docs/tasks/x.md'), text);
    await writeFile(path.join(root, 'src/a.ts'), '');
    expect((await deadLinks(root)).dead).toEqual([]);
  });
});

describe('anchors', () => {
  it.each([
    ['registry gc', 'registry-gc'],
    ["The pipeline's own signals", 'the-pipelines-own-signals'],
    ['8. Checks: a, b (c)', '8-checks-a-b-c'],
    ['promote, rollback & lock', 'promote-rollback--lock'],
    ['snake_case.and-dash', 'snake_caseand-dash'],
    ['Überfluß', 'überfluß'],
  ])('are those of GitHub: %s', (heading, anchor) => {
    expect(slug(heading)).toBe(anchor);
  });

  it('of equal headings are numbered', () => {
    expect([...readPage('# A\n## A\n## A').anchors]).toEqual(['a', 'a-1', 'a-2']);
  });
});

describe('a link on the site', () => {
  const links = {
    pages: { 'docs/gate.md': 'gate.md', 'docs/README.md': 'index.md', 'SECURITY.md': 'security-policy.md' },
    repository: 'https://github.com/modelgate/modelgate',
  };
  it.each([
    ['gate.md#by-hand', '/gate.md#by-hand'],
    ['../SECURITY.md', '/security-policy.md'],
    ['../docs', '/index.md'],
    ['../src/gate/decide.ts', 'https://github.com/modelgate/modelgate/blob/main/src/gate/decide.ts'],
    ['../examples/flights', 'https://github.com/modelgate/modelgate/tree/main/examples/flights'],
    ['https://example.com', 'https://example.com'],
    ['#here', '#here'],
  ])('leads to a page or to GitHub: %s', (href, leads) => {
    expect(siteLink('docs/configuration.md', href, links)).toBe(leads);
  });
});
