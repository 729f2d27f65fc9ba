const begin = '<!-- transcript: begin -->';
const end = '<!-- transcript: end -->';

/** A command as typed and what it printed, or what another place shows. */
export interface Shown {
  text: string;
  /** Null: nothing is typed. */
  command: string | null;
  output: string;
  /** Lines of the output that are shown. */
  shows: RegExp;
}

/** The page with its transcript made anew. */
export function withTranscript(page: string, shown: readonly Shown[]): string {
  const [from, until] = [page.indexOf(begin), page.indexOf(end)];
  if (from < 0 || until < from) throw new Error(`docs/start.md has lost its markers ${begin} and ${end}`);
  return `${page.slice(0, from)}${begin}\n\n${blocks(shown)}\n\n${page.slice(until)}`;
}

function blocks(shown: readonly Shown[]): string {
  const parts: string[] = [];
  for (const { text, command, output, shows } of shown) {
    const told = output.split('\n').filter((line) => line !== '' && shows.test(line));
    const body = [...(command === null ? [] : [`$ ${command}`]), ...told].join('\n');
    const language = command === null ? 'text' : 'console';
    // what belongs together stands in one block
    const last = text === '' ? parts.pop() : undefined;
    if (last === undefined) parts.push(`${text}\n\n\`\`\`${language}\n${body}\n\`\`\``);
    else parts.push(`${last.slice(0, -'\n```'.length)}\n${body}\n\`\`\``);
  }
  return parts.join('\n\n');
}

/** What the page's transcript lacks of these commands, in this order, or has beyond them; empty where it is up to date. */
export function differences(page: string, commands: readonly string[]): string[] {
  let rest = page.slice(page.indexOf(begin), page.indexOf(end));
  const missing: string[] = [];
  let extra = 0;
  for (const command of commands) {
    const at = rest.indexOf(`\n$ ${command}\n`);
    if (at < 0) missing.push(command);
    else {
      extra += rest.slice(0, at).split('\n$ ').length - 1;
      rest = rest.slice(at + command.length + '\n$ '.length);
    }
  }
  extra += rest.split('\n$ ').length - 1;
  return [...missing, ...(extra > 0 ? [`and ${extra} other commands`] : [])];
}
