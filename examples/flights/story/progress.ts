import { colours, plain } from '../../../src/cli/terminal.ts';
import type { Outcome } from '../../../src/outcome.ts';

const paint = colours(process.stdout);
const marks = { pass: '✓', fail: '✗', inconclusive: '?', error: '✗' } as const;
const paints = { pass: 'green', fail: 'red', inconclusive: 'yellow', error: 'red' } as const;

export interface Progress {
  chapter(title: string): void;
  /** A line that stays. */
  line(verdict: Outcome['verdict'], name: string, seconds: number | null, text: string): void;
  note(text: string): void;
  /** What goes on right now: shown on a terminal only, and overwritten. */
  detail(text: string): void;
}

/** One line a stage, with its time and what came out. */
export function terminalProgress(): Progress {
  let chapters = 0;
  const clear = () => {
    if (process.stdout.isTTY) process.stdout.write('\r\u001b[K');
  };
  const write = (text: string) => {
    clear();
    process.stdout.write(`${text}\n`);
  };
  return {
    chapter(title) {
      chapters++;
      write(`\n${paint('bold', `${chapters}  ${title}`)}`);
    },
    line(verdict, name, seconds, text) {
      const time = seconds === null ? '' : `${seconds.toFixed(1)} s`;
      write(
        `   ${paint(paints[verdict], marks[verdict])} ${name.padEnd(10)} ${paint('dim', time.padStart(7))}  ${plain(text)}`,
      );
    },
    note(text) {
      for (const row of text.split('\n')) write(`     ${paint('dim', plain(row))}`);
    },
    detail(text) {
      if (!process.stdout.isTTY) return;
      clear();
      process.stdout.write(
        paint('dim', `     … ${plain(text).slice(0, (process.stdout.columns ?? 80) - 10)}`),
      );
    },
  };
}
