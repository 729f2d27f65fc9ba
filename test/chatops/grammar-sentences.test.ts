import { readFile } from 'node:fs/promises';
import fc from 'fast-check';
import { fromMarkdown } from 'mdast-util-from-markdown';
import { gfmFromMarkdown } from 'mdast-util-gfm';
import { gfm } from 'micromark-extension-gfm';
import { describe, expect, it } from 'vitest';
import { chatopsPage, grammar as madeGrammar } from '../../scripts/chatops-docs.ts';
import type { Command, CommandName } from '../../src/chatops/command.ts';
import { firstLine, isPlainParagraph } from '../../src/chatops/first-line.ts';
import { parseComment } from '../../src/chatops/grammar.ts';
import { commandLine } from '../../src/chatops/spelling.ts';
import { asItStands, type Sentence, type Spelling, sentences } from './ebnf.ts';

const page = await readFile('docs/chatops.md', 'utf8');
const published = /```ebnf\n([\s\S]*?)\n```/.exec(page)?.[1] ?? '';
const taken = ['to', 'in'];

/** What keyboards and browsers make of a line. */
const changed: Spelling = (text) => {
  if (text === ' ') return fc.constantFrom(' ', '\u00a0', '\u202f', '\t', '  ');
  if (text === '"') return fc.constantFrom('"', '\u201c', '\u201d');
  if (text === "'") return fc.constantFrom("'", '\u2018', '\u2019');
  if (text.startsWith('--'))
    return fc.constantFrom(text, text.toUpperCase(), `\u2014${text.slice(2)}`, `\u2013${text.slice(2)}`);
  return fc.constantFrom(
    text,
    text.toUpperCase(),
    text.replace(/[a-z]/, (letter) => letter.toUpperCase()),
  );
};

const units = { m: 60_000, h: 3_600_000, d: 86_400_000 };

/** The command that a sentence says, told from the rules that made it. */
function commandOf({ text, rules }: Sentence): Command {
  const name = rules[1]!.name as CommandName;
  const said = (rule: string) => rules.find((one) => one.name === rule)?.text.toLowerCase() ?? null;
  const counted = (rule: string) => (said(rule) === null ? null : Number(said(rule)));
  const model = said('model');
  const version = counted('version');
  const environment = said('environment');
  const quoted = rules.find((one) => one.name === 'reason')?.text ?? null;
  const reason =
    quoted === null ? null : (/^["'\u2018-\u201d]/.test(quoted) ? quoted.slice(1, -1) : quoted).trim();
  // an option is one only outside of the reason
  const at =
    quoted === null
      ? 0
      : text.indexOf(quoted, text.search(/(?:--|[\u2013\u2014])reason/i) + '--reason'.length - 1);
  const rest = `${text.slice(0, at)}${text.slice(at + (quoted ?? '').length)}`.toLowerCase();
  const flag = (option: string) => new RegExp(`(?:--|[\u2013\u2014])${option}`).test(rest);
  const ttl = said('ttl');
  const lock = { model, environment: environment ?? '' };
  switch (name) {
    case 'promote':
      return {
        ...{ name, model, version, environment, reason },
        ...{
          dryRun: flag('dry-run'),
          canary: counted('canary'),
          confirm: said('confirm'),
          override: flag('override'),
        },
      };
    case 'rollback':
      return {
        name,
        model,
        environment,
        to: version,
        steps: counted('steps') ?? 1,
        dryRun: flag('dry-run'),
        noFreeze: flag('no-freeze'),
        reason,
      };
    case 'approve':
      return { name, model, version, environment };
    case 'cancel':
      return { name };
    case 'ok-to-train':
      return { name, sha: said('sha') ?? '', model };
    case 'train':
    case 'retrain':
      return { name, model };
    case 'status':
      return { name, model, environment };
    case 'lock':
    case 'hold': {
      const length = ttl === null ? null : Number.parseInt(ttl, 10) * units[ttl.at(-1) as keyof typeof units];
      return { name, ...lock, reason: reason ?? '', ttl: length };
    }
    case 'unlock':
    case 'release':
      return { name, ...lock, reason };
    case 'explain':
      return { name, model, version };
    case 'drift': {
      const action = /^\/drift\s+(run|ack|snooze)/i.exec(text)![1]!.toLowerCase() as 'run' | 'ack' | 'snooze';
      return action === 'snooze'
        ? { name, action, days: counted('days') ?? 0, model }
        : { name, action, model };
    }
    case 'help':
      return { name, about: said('about') };
  }
}

/** What may stand around the line without a change of its meaning. */
const around = fc.record({
  before: fc.constantFrom('', '\n', ' ', '   ', ' \r\n\n  '),
  after: fc.constantFrom(
    '',
    '\n',
    '  ',
    '\r\n\r\nThanks!',
    '\nwith more words\n\n```\n/train\n```',
    '\n- a list\n# a title',
  ),
});

describe('the published grammar', () => {
  it('is the one that is made from the table; npm run docs writes it', () => {
    expect(chatopsPage(page)).toBe(page);
    expect(published).toBe(madeGrammar());
  });

  for (const [how, spelling] of [
    ['as they stand', asItStands],
    ['as keyboards and browsers change them', changed],
  ] as const) {
    it(`has only sentences that are read as what was said, ${how}`, { timeout: 120_000 }, () => {
      const seen = new Set<string>();
      fc.assert(
        fc.property(
          sentences(published, { start: 'line', taken, spelling }),
          around,
          (sentence, { before, after }) => {
            const parsed = parseComment(`${before}${sentence.text}${after}`);
            expect(parsed).toEqual({
              kind: 'command',
              command: commandOf(sentence),
              line: sentence.text.trimEnd(),
            });
            seen.add(sentence.rules[1]!.name);
            if (parsed.kind !== 'command') return;
            // one spelling of it says the same again
            const again = parseComment(commandLine(parsed.command));
            expect(again.kind === 'command' && again.command).toEqual(parsed.command);
          },
        ),
        { numRuns: 2000, seed: 6 },
      );
      expect(seen.size).toBe(15);
    });
  }
});

const pieces = fc.constantFrom(
  ...[
    '/',
    '/promote',
    '/rollback',
    '/lock',
    ' to ',
    ' in ',
    'staging',
    '--reason=',
    '--dry-run',
    '"',
    '\u201c',
    "'",
    '@3',
  ],
  ...[
    '\n',
    '\r\n',
    '\r',
    '\n\n',
    '    ',
    '\t',
    '> ',
    '```',
    '~~~',
    '# ',
    '===',
    '---',
    '|---|',
    '|',
    '- ',
    '1. ',
    '<!--',
    '-->',
  ],
  ...[
    '<b>',
    '[a](b)',
    '[a]: b',
    '`',
    '**',
    '\\',
    '&#47;',
    '\u200b',
    '\u202e',
    '\ufeff',
    '\0',
    '\ud800',
    '\u0430',
    '\u212a',
  ],
);
const hostile = fc.array(
  fc.oneof({ weight: 4, arbitrary: pieces }, fc.string({ unit: 'binary', maxLength: 6 })),
  { maxLength: 20 },
);
/** Lines of which some end a paragraph, and some make another thing of it. */
const blocks = fc.constantFrom(
  ...[
    '===',
    '---',
    '   --  ',
    '    ---',
    '\t---',
    '-',
    '- ',
    '- a',
    ':-:',
    '|---|',
    '---|---',
    ':-: | -',
    '***',
  ],
  ...[
    '> a',
    '> ---',
    '```',
    '~~~',
    '# a',
    '<p>',
    '<!--',
    '[a]: b',
    '1. a',
    '2. a',
    'a',
    '',
    ' ',
    '\u00a0---',
  ],
);
const isRule = (line: string) => /^[\s|:=-]+$/.test(line) && /[=-]/.test(line);
const hostileText = hostile.map((parts) => parts.join(''));

describe('any comment at all', () => {
  it('is read without a fault, 10,000 of them', { timeout: 120_000 }, () => {
    const kinds = { none: 0, command: 0, mistake: 0 };
    fc.assert(
      fc.property(fc.tuple(fc.constantFrom('', '/', '/promote ', '/lock '), hostileText), ([start, text]) => {
        const parsed = parseComment(start + text);
        kinds[parsed.kind] += 1;
        if (parsed.kind === 'mistake' && parsed.suggestion !== null)
          expect(parseComment(parsed.suggestion).kind).toBe('command');
      }),
      { numRuns: 10_000, seed: 6 },
    );
    expect(Math.min(...Object.values(kinds))).toBeGreaterThan(50);
  });

  it('has the first line that the whole text has in Markdown', { timeout: 120_000 }, () => {
    const seen = { both: 0, onlyMarkdown: 0, neither: 0 };
    const start = fc.constantFrom('', '\n', '/');
    const bodies = fc.oneof(
      fc.tuple(start, hostileText).map((parts) => parts.join('')),
      fc.array(blocks, { maxLength: 4 }).map((lines) => ['/promote | to', ...lines].join('\n')),
    );
    fc.assert(
      fc.property(bodies, (body) => {
        const tree = fromMarkdown(body, { extensions: [gfm()], mdastExtensions: [gfmFromMarkdown()] });
        const block = tree.children[0];
        const first = block?.type === 'paragraph' ? block.children[0] : undefined;
        const source = body.slice(block?.position?.start.offset ?? 0);
        const line = first?.type === 'text' && source.startsWith('/') ? /^[^\r\n]*/.exec(source)![0] : null;
        const ours = isPlainParagraph(body) ? firstLine(body) : null;
        // what Markdown knows as anything else is never ours
        if (ours !== null) expect(ours.trim()).toBe(line?.trim());
        // beyond that only what looks like an underline or a table's rule is left out
        if (ours === null && line !== null)
          expect(
            source
              .split(/\r\n|\n|\r/)
              .slice(1)
              .some(isRule),
          ).toBe(true);
        seen[ours !== null ? 'both' : line !== null ? 'onlyMarkdown' : 'neither'] += 1;
      }),
      { numRuns: 2_000, seed: 6 },
    );
    expect(Math.min(...Object.values(seen))).toBeGreaterThan(50);
  });

  it('costs little, whatever it repeats up to its largest size', { timeout: 120_000 }, () => {
    const units = [
      ...['[', '![', '*a ', '_*', '*a_', '`', '``` ', '](', '<a ', '<!--', '|a', '|-', '-', '=', ' -', '- '],
      ...['\n', '\r\n', ' ', '\t\n', '> ', '>', '1. ', '_a_ ', '@a.b', 'a@', 'www.a.b.', '"', '--x '],
      ...[
        '--reason=',
        '/',
        '&#',
        '\\',
        '\u2014',
        '\u200b',
        `${'_*'.repeat(40)}\n`,
        '[a](<b> "',
        '\n-a',
        '\n=a',
      ],
    ];
    const starts = [
      '',
      '/promote ',
      '/help ',
      '/promote\n',
      ' \n',
      '/promote | a\n|-|-|\n',
      '/zzzzzz ',
      '/promte ',
    ];
    for (const start of starts)
      for (const unit of units) {
        const body = (start + unit.repeat(65_536)).slice(0, 65_536);
        const before = process.cpuUsage();
        expect(['none', 'mistake', 'command']).toContain(parseComment(body).kind);
        const { user, system } = process.cpuUsage(before);
        // a limit of growth, not of speed: each takes a few milliseconds
        expect({ start, unit, seconds: (user + system) / 1e6 }).toSatisfy(({ seconds }) => seconds < 0.2);
        expect(parseComment(`${body}x`)).toEqual({ kind: 'none' });
      }
  });
});
