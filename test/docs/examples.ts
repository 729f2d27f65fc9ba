import { glob, readFile } from 'node:fs/promises';
import type { Nodes } from 'mdast';
import { readPage } from '../../scripts/docs-site/markdown.ts';

export interface Example {
  text: string;
  where: string;
  /** In a sentence, not a block. */
  inline: boolean;
}

/** What the pages show to be typed. */
export interface Examples {
  /** `modelgate …`, without the program. */
  commands: Example[];
  /** Comments: code that begins with `/` and a word. */
  comments: Example[];
  yaml: Example[];
}

export async function examplesOf(patterns: readonly string[]): Promise<Examples> {
  const found: Examples = { commands: [], comments: [], yaml: [] };
  for await (const file of glob(patterns)) {
    const visit = (node: Nodes): void => {
      const where = `${file}:${node.position?.start.line ?? 0}`;
      if (node.type === 'code' && node.lang === 'yaml')
        found.yaml.push({ text: node.value, where, inline: false });
      if (node.type === 'code' && (node.lang === 'sh' || node.lang === 'console')) {
        const lines = node.value.replace(/\\\n\s*/g, ' ').split('\n');
        for (const line of lines) found.commands.push(...commandsIn(line, where, false));
      }
      if (node.type === 'inlineCode') {
        found.commands.push(...commandsIn(node.value, where, true));
        if (/^\/[a-z-]+(?: |$)/.test(node.value))
          found.comments.push({ text: node.value, where, inline: true });
      }
      if ('children' in node) node.children.forEach(visit);
    };
    readPage(await readFile(file, 'utf8')).blocks.forEach(visit);
  }
  return found;
}

/** The calls of modelgate in a line of a shell, without what is piped, redirected or only said. */
function commandsIn(line: string, where: string, inline: boolean): Example[] {
  return line
    .replace(/^\$ /, '')
    .split(/ (?:&&|\|\|?|;) /)
    .flatMap((part) => {
      const call = /^(?:npx (?:--yes )?|npm exec )?modelgate (?:-- )?(.+)$/.exec(part.trim())?.[1];
      const text = call?.replace(/ +(?:2?>{1,2}|#|&$).*$/, '').trim();
      return text === undefined || text === '' ? [] : [{ text, where, inline }];
    });
}

/** The words of a command line: quotes are taken off. */
export function wordsOf(text: string): string[] {
  return [...text.matchAll(/(?:[^\s"']|"[^"]*"|'[^']*')+/g)].map(([word]) => word.replace(/["']/g, ''));
}
