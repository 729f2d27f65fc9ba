import fc from 'fast-check';
import type { Nodes } from 'mdast';
import { fromMarkdown } from 'mdast-util-from-markdown';
import { gfmFromMarkdown } from 'mdast-util-gfm';
import { gfm } from 'micromark-extension-gfm';
import { describe, expect, it } from 'vitest';
import { reasonCodes } from '../../src/chatops/context.ts';
import { parseComment } from '../../src/chatops/grammar.ts';
import { longestReply, prose, renderReply } from '../../src/chatops/reply.ts';
import { commandMarker, type ReplyRecord, readRecord } from '../../src/chatops/reply-record.ts';
import { link } from '../../src/report/markdown.ts';
import { wordJoiner } from '../../src/report/plain.ts';

const run = { id: 99, url: 'https://github.example/acme/flights/actions/runs/99' };
const record = (change: Partial<ReplyRecord> = {}): ReplyRecord => ({
  schema: 'modelgate.command/1',
  op_id: 'a'.repeat(64),
  comment: 7,
  command: 'promote',
  requested_by: 'alice',
  created_at: '2026-01-02T03:04:05Z',
  at: '2026-01-02T03:04:06Z',
  decision: 'accepted',
  reason: null,
  summary: 'Heard.',
  checks: [],
  operation: null,
  ...change,
});
const operation = (
  change: Partial<NonNullable<ReplyRecord['operation']>> = {},
): ReplyRecord['operation'] => ({
  ...{
    opId: 'a'.repeat(64),
    kind: 'promote',
    workflow: 'promote.yml',
    model: 'flights',
    environment: 'production',
  },
  inputs: { model: 'flights@4', environment: 'production', digest: '0123456789ab'.repeat(5).concat('0123') },
  ...{ run, deployment: 3 },
  ...change,
});

const parse = (body: string) =>
  fromMarkdown(body, { extensions: [gfm()], mdastExtensions: [gfmFromMarkdown()] });
function* nodesOf(node: Nodes): Generator<Nodes> {
  yield node;
  if ('children' in node) for (const child of node.children) yield* nodesOf(child);
}

/** HTML that we write ourselves. */
const ours = [
  '<details><summary>Record</summary>',
  '</details>',
  '<!-- modelgate:record -->',
  '<!-- /modelgate:record -->',
  commandMarker(7),
];

/** What a stranger's words have made in a reply that they should not have. */
function made(body: string): string[] {
  const found: string[] = [];
  for (const node of nodesOf(parse(body))) {
    if (node.type === 'html' && !ours.includes(node.value)) found.push(`html ${node.value}`);
    if (node.type === 'link' && !node.url.startsWith('https://github.example/acme/flights/'))
      found.push(`link ${node.url}`);
    if (
      [
        'image',
        'imageReference',
        'linkReference',
        'definition',
        'footnoteReference',
        'footnoteDefinition',
      ].includes(node.type)
    )
      found.push(node.type);
    if (['heading', 'list', 'blockquote', 'thematicBreak', 'emphasis', 'delete'].includes(node.type))
      found.push(node.type);
    if (node.type === 'code' && !(node.lang === 'json' && /^\{.*\}$/.test(node.value)))
      found.push(`code ${node.value}`);
    if (
      node.type === 'text' &&
      new RegExp(`@(?!${wordJoiner})|#\\d|\\bGH-\\d|:\\w+:|https?://|www\\.|[0-9a-f]{7}`, 'i').test(
        node.value,
      )
    )
      found.push(`text ${node.value}`);
  }
  return found;
}

const pieces = fc.constantFrom(
  ...[
    '@alice',
    '@acme/owners',
    '#12',
    'GH-3',
    'https://evil.example',
    'www.evil.example',
    'a@b.example',
    '![x](y)',
    '[x](y)',
    '[^1]',
    '[x]: y',
  ],
  ...[
    '<img src=x onerror=y>',
    '<!--',
    '-->',
    '</details>',
    '<details>',
    '`',
    '``',
    '```',
    '~~~',
    '```json',
    '|',
    '\\|',
    '\\',
    '**',
    '~~',
    '$x$',
    ':tada:',
  ],
  ...[
    '\n',
    '\r\n',
    '\n\n',
    '\n```\n',
    '\u2028',
    '\u202e',
    '\u200b',
    '\u2066',
    '\0',
    '&lt;',
    '&#64;',
    '- [ ] ',
    '1. ',
    '# ',
    '> ',
    '    ',
    '---',
    '===',
  ],
  ...[
    '<!-- modelgate:command 7 -->',
    '<!-- /modelgate:record -->',
    'deadbeefdeadbeef',
    '\ud800',
    '"',
    "'",
    '{',
    '}',
    '/promote to production',
  ],
);
const hostile = fc
  .array(fc.oneof({ weight: 3, arbitrary: pieces }, fc.string({ unit: 'binary', maxLength: 5 })), {
    maxLength: 8,
  })
  .map((parts) => parts.join(''));

describe('the one reply', () => {
  it('holds no markup of a stranger’s making, in 10,000 strings, and its record whole', {
    timeout: 120_000,
  }, () => {
    let strings = 0;
    const check = fc.record({
      name: hostile,
      ok: fc.constantFrom(true, false, null),
      detail: hostile,
      fix: fc.option(hostile),
    });
    const texts = fc.record({
      summary: hostile,
      requested_by: hostile,
      command: fc.oneof(hostile, fc.constantFrom('promote', 'mistake')),
      checks: fc.array(check, { minLength: 9, maxLength: 9 }),
      model: hostile,
      environment: fc.option(hostile),
      inputs: fc.record({ model: hostile, digest: hostile, sha: hostile, reason: hostile }),
      url: fc.oneof(hostile, fc.constant(run.url)),
    });
    fc.assert(
      fc.property(texts, ({ summary, requested_by, command, checks, model, environment, inputs, url }) => {
        const given = record({
          ...{ decision: 'started', reason: 'started', summary, checks },
          requested_by: requested_by.slice(0, 100),
          command: command.slice(0, 40),
          operation: operation({
            inputs: { ...inputs, model: inputs.model.slice(0, 100) },
            ...{ model: model.slice(0, 63), environment: environment?.slice(0, 63) ?? null },
            run: { id: 1, url: url.slice(0, 500) },
          }),
        });
        strings += 3 + 2 * 9 + checks.filter(({ fix }) => fix !== null).length + 6;
        const body = renderReply(given, null);
        expect(made(body)).toEqual([]);
        expect(body.length).toBeLessThanOrEqual(longestReply);
        expect(body.startsWith(`${commandMarker(7)}\n`)).toBe(true);
        expect(body.split('<!-- modelgate:')).toHaveLength(3);
        expect(readRecord(body)).toEqual(wellFormed(given));
        expect(parseComment(body)).toEqual({ kind: 'none' });
      }),
      { numRuns: 330, seed: 6 },
    );
    expect(strings).toBeGreaterThan(10_000);
  });

  it('is at most 60,000 characters long, with marker and record whole, whatever it is given', () => {
    for (const text of ['a', '@', '<', '`', '\u0000', '😀', '|', '&amp;', '*', '\u202e'].map((one) =>
      one.repeat(2000).slice(0, 2000),
    )) {
      const checks = Array.from({ length: 40 }, () => ({ name: text, ok: false, detail: text, fix: text }));
      const given = record({
        decision: 'refused',
        reason: 'order',
        summary: text,
        checks,
        operation: operation(),
      });
      for (const details of [null, 'x'.repeat(20_000), 'x'.repeat(70_000)]) {
        const body = renderReply(given, details);
        expect(body.length).toBeLessThanOrEqual(longestReply);
        expect(body).toContain(commandMarker(7));
        expect(readRecord(body)).toMatchObject({
          op_id: 'a'.repeat(64),
          decision: 'refused',
          operation: operation(),
        });
        expect(made(body)).toEqual([]);
        expect([...nodesOf(parse(body))].filter(({ type }) => type === 'table')).toHaveLength(1);
      }
    }
  });

  it('says how it stands, what was looked at, what it is about and who asked', () => {
    const checks = [
      { name: 'gate', ok: true, detail: 'passed', fix: null },
      {
        name: 'reviews',
        ok: false,
        detail: '0 of 1',
        fix: 'Ask for a review, then `/promote flights@4 to production`.',
      },
      { name: 'champion', ok: null, detail: 'not looked at', fix: null },
    ];
    const body = renderReply(
      record({
        decision: 'refused',
        reason: 'not_reviewed',
        summary: 'It needs a review.',
        checks,
        operation: operation(),
      }),
      '**More.**',
    );
    const [shown] = body.split('<details>');
    expect(shown).toBe(`<!-- modelgate:command 7 -->

⛔ **Refused** \`/promote\` (\`not_reviewed\`)

It needs a review.

|  | check | found | what to do |
| --- | --- | --- | --- |
| ✅ | gate | passed |  |
| ❌ | reviews | 0 of 1 | Ask for a review, then \`/promote flights@4 to production\`. |
| ➖ | champion | not looked at |  |

\`flights@4\` · \`production\` · digest \`0123456789ab\` · [run 99](${run.url}) · [deployments](https://github.example/acme/flights/deployments/production) · requested by alice

**More.**

`);
  });

  it('has a state line for each decision, and the reason where it says more', () => {
    const first = (change: Partial<ReplyRecord>) => renderReply(record(change), null).split('\n\n')[1];
    expect(first({})).toBe('👀 **Accepted** `/promote`');
    expect(first({ decision: 'started', reason: 'started' })).toBe('⏳ **Started** `/promote`');
    expect(first({ decision: 'done', reason: 'done' })).toBe('✅ **Done** `/promote`');
    expect(first({ decision: 'done', reason: 'nothing_to_do' })).toBe(
      '✅ **Done** `/promote` (`nothing_to_do`)',
    );
    expect(first({ decision: 'planned', reason: 'planned' })).toBe(
      '📝 **Planned**, nothing was done `/promote`',
    );
    expect(first({ decision: 'failed', reason: 'internal' })).toBe('❌ **Failed** `/promote` (`internal`)');
    expect(first({ decision: 'refused', reason: 'usage', command: 'mistake' })).toBe(
      '⛔ **Refused** (`usage`)',
    );
    for (const reason of reasonCodes)
      expect(made(renderReply(record({ decision: 'refused', reason }), null))).toEqual([]);
  });

  it('[GOV-5] a refusal is answered with its reason code', () => {
    const body = renderReply(record({ decision: 'refused', reason: 'not_permitted', summary: 'No.' }), null);
    expect(body).toContain('(`not_permitted`)');
    expect(readRecord(body)).toMatchObject({ decision: 'refused', reason: 'not_permitted' });
  });
});

describe('words in a reply', () => {
  it('shows what stands in back-ticks as code that can be copied as it is', () => {
    const line = '/promote flights@4 to production --confirm=0123456789ab';
    const shown = [...nodesOf(parse(prose(`Comment: \`${line}\``, 400)))].find(
      ({ type }) => type === 'inlineCode',
    );
    expect(shown).toMatchObject({ value: line });
    expect(prose('a ` b', 400)).toBe('a \\` b');
    expect(prose('', 400)).toBe('(empty)');
  });

  it('links to pages of http alone, without a name or password in them', () => {
    expect(link('run', run.url)).toBe(`[run](${run.url})`);
    for (const url of ['javascript:alert(1)', 'https://a:b@evil.example/', 'not a url', '/runs/1'])
      expect([...nodesOf(parse(link('run', url)))].filter(({ type }) => type === 'link')).toEqual([]);
    const odd = link('run', 'https://github.example/a)[x](https://evil.example/"\'<b>`_*é');
    const links = [...nodesOf(parse(odd))].filter((node) => node.type === 'link');
    expect(links.map(({ url }) => new URL(url).host)).toEqual(['github.example']);
  });
});

/** JSON holds no lone surrogate. */
function wellFormed(value: ReplyRecord): ReplyRecord {
  return JSON.parse(JSON.stringify(value)) as ReplyRecord;
}
