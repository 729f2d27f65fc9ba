import type { Logger } from '../logger.ts';

type Colour = 'green' | 'red' | 'yellow' | 'dim' | 'bold';
const escapes: Record<Colour, string> = { green: '32', red: '31', yellow: '33', dim: '2', bold: '1' };

/** Colour on a terminal only, and not where NO_COLOR asks for none. */
export function colours(stream: { isTTY?: boolean }): (colour: Colour, text: string) => string {
  const on = stream.isTTY === true && process.env.NO_COLOR === undefined && process.env.TERM !== 'dumb';
  return (colour, text) => (on ? `\u001b[${escapes[colour]}m${text}\u001b[0m` : text);
}

/** Characters that could drive a terminal are shown as a mark instead. */
export function plain(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  return text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, '·');
}

/** Progress and logs on standard error: standard output belongs to the result. */
export function terminalLogger(options: { quiet: boolean; verbose: boolean }): Logger {
  const paint = colours(process.stderr);
  const write = (line: string) => process.stderr.write(`${line}\n`);
  return {
    info: (message) => {
      if (!options.quiet) write(paint('dim', `  ${plain(message)}`));
    },
    warn: (message) => write(paint('yellow', `  ! ${plain(message)}`)),
    debug: (message) => {
      if (options.verbose) write(paint('dim', plain(message)));
    },
  };
}

/** A table with columns padded to their widest cell; numbers to the right. */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const cells = [header, ...rows].map((row) => row.map((cell) => plain(cell)));
  const widths = header.map((_, column) => Math.max(...cells.map((row) => [...(row[column] ?? '')].length)));
  const numeric = header.map((_, column) =>
    rows.every((row) => /^[-+−]?[\d.,]*( ?(%|s|ms|rows))?$/.test(row[column] ?? '')),
  );
  const line = (row: readonly string[]) =>
    row
      .map((cell, column) => {
        const space = ' '.repeat(Math.max(0, widths[column]! - [...cell].length));
        return numeric[column] ? space + cell : cell + space;
      })
      .join('  ')
      .trimEnd();
  const [head, ...body] = cells;
  return [line(head!), widths.map((width) => '─'.repeat(width)).join('  '), ...body.map(line)].join('\n');
}
