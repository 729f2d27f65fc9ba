import { breakReferences, escapeHtml, oneLine, wordJoiner } from './plain.ts';

/** Markdown that is ours or has been escaped; a value from outside never has this type by itself. */
export type Markdown = string & { readonly markdown?: never };

/**
 * A value from data, names or configuration as plain text in GitHub Markdown: never markup, link, image,
 * mention, reference, formula or emoji; one line, at most `limit` characters before escaping.
 */
export function text(value: unknown, limit = 200): Markdown {
  const line = oneLine(value, limit);
  if (line === '') return '(empty)';
  return breakReferences(line)
    .replace(/[\\`*_{}[\]()#+\-!|~$^=]/g, '\\$&')
    .replace(/&/g, '&amp;')
    .replace(/</g, '&lt;')
    .replace(/>/g, '&gt;')
    .replace(/^(\d+)\./, '$1\\.');
}

/** A value as inline code, also inside of a table cell: nothing in it is interpreted. */
export function code(value: unknown, limit = 200): Markdown {
  const line = oneLine(value, limit);
  if (line === '') return '(empty)';
  const longest = Math.max(0, ...(line.match(/`+/g) ?? []).map((run) => run.length));
  const fence = '`'.repeat(longest + 1);
  const pad = line.startsWith('`') || line.endsWith('`') ? ' ' : '';
  // a table splits at | even inside of code; a backslash before it would hide the escape
  // and a comment is sought in the source: what stands in code must not be found as one of ours
  const body = line
    .replaceAll('<!--', `<!${wordJoiner}--`)
    .replace(/\\?\|/g, (match) => (match.length > 1 ? `\\${wordJoiner}\\|` : '\\|'));
  return `${fence}${pad}${body}${pad}${fence}`;
}

/** A link to a page of the web; what is no such address is shown as text. `label` is ours. */
export function link(label: Markdown, address: string): Markdown {
  const url = URL.parse(address);
  if (url === null || !/^https?:$/.test(url.protocol) || url.username !== '' || url.password !== '')
    return `${label} ${code(address)}`;
  const safe = url.href.replace(/[^A-Za-z0-9/:.?&=%_~-]/g, (one) =>
    [...new TextEncoder().encode(one)].map((byte) => `%${byte.toString(16).toUpperCase()}`).join(''),
  );
  return `[${label}](${safe.replaceAll('_', '%5F').replaceAll('~', '%7E').replaceAll('&', '&amp;')})`;
}

export interface MarkdownTable {
  /** Right-aligned where `number` is true. */
  columns: readonly { title: Markdown; number?: boolean }[];
  /** Cells that are escaped already. */
  rows: readonly (readonly Markdown[])[];
}

export function table({ columns, rows }: MarkdownTable): Markdown {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [
    line(columns.map((column) => column.title)),
    line(columns.map((column) => (column.number ? '---:' : '---'))),
    ...rows.map(line),
  ].join('\n');
}

/** A folded part. `summary` is a value from anywhere, `body` is Markdown. */
export function details(summary: string, body: Markdown): Markdown {
  return `<details><summary>${breakReferences(escapeHtml(summary, 200))}</summary>\n\n${body}\n\n</details>`;
}

/** Parts with an empty line between; null and empty parts are left out. */
export function paragraphs(...parts: (Markdown | null)[]): Markdown {
  return parts.filter((part) => part !== null && part !== '').join('\n\n');
}
