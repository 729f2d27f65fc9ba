import fc from 'fast-check';
import type { Nodes } from 'mdast';
import { fromMarkdown } from 'mdast-util-from-markdown';
import { gfmFromMarkdown } from 'mdast-util-gfm';
import { gfm } from 'micromark-extension-gfm';
import { describe, expect, it } from 'vitest';
import { longestReply } from '../../../src/chatops/reply.ts';
import {
  emptyRecord,
  type ReportRecord,
  readReport,
  samplePart,
} from '../../../src/chatops/reports/record.ts';
import { type ReportView, renderReport } from '../../../src/chatops/reports/render.ts';
import { parseResult, resultLimit } from '../../../src/chatops/reports/result.ts';
import { wordJoiner } from '../../../src/report/plain.ts';
import { outcome } from './world.ts';

const timeout = 120_000;
const sha = 'a'.repeat(40);
const url = 'https://github.example/acme/flights/actions/runs/7';

/** A report as it comes out when a pull request's run has uploaded this. */
function reportOf(value: unknown, change: Partial<ReportRecord> = {}): { body: string; view: ReportView } {
  const result = parseResult(Buffer.from(JSON.stringify(value)));
  if (result === null) throw new Error('no result');
  const parts = [samplePart(result, { artifact: 'modelgate-result', known: false })];
  const record = {
    ...emptyRecord('flights'),
    sample: { sha, run: 7, attempt: 1, url, parts, left: {} },
    ...change,
  };
  const view: ReportView = {
    record,
    pull: { headSha: sha, fork: false, state: 'open' },
    ...{ judged: null, earlier: null, base: 'main', forkTraining: false, environment: 'staging' },
  };
  return { body: renderReport(view), view };
}

const parse = (body: string) =>
  fromMarkdown(body, { extensions: [gfm()], mdastExtensions: [gfmFromMarkdown()] });
function* nodesOf(node: Nodes): Generator<Nodes> {
  yield node;
  if ('children' in node) for (const child of node.children) yield* nodesOf(child);
}

const ourHtml =
  /^(<details><summary>(Record|Contract, \d+ rules? do(es)? not hold(, \d+ shown)?)<\/summary>|<\/details>|<\/?sub>|<!-- \/?modelgate:(record|report flights) -->)$/;
const forbidden = [
  ...['image', 'imageReference', 'linkReference', 'definition', 'footnoteReference', 'footnoteDefinition'],
  ...['emphasis', 'delete', 'thematicBreak', 'blockquote'],
];
const references = new RegExp(`@(?!${wordJoiner})|#\\d|\\bGH-\\d|:\\w+:|https?://|www\\.|[0-9a-f]{7}`, 'i');

/** What a stranger's words have made that they should not have. */
function made(body: string): string[] {
  const found: string[] = [];
  let headings = 0;
  for (const node of nodesOf(parse(body))) {
    if (node.type === 'html' && !ourHtml.test(node.value)) found.push(`html ${node.value}`);
    if (node.type === 'link' && node.url !== url) found.push(`link ${node.url}`);
    if (forbidden.includes(node.type)) found.push(node.type);
    if (node.type === 'heading') headings += 1;
    if (node.type === 'code' && !(node.lang === 'json' && /^\{.*\}$/.test(node.value)))
      found.push(`code ${node.value}`);
    if (node.type === 'text' && references.test(node.value)) found.push(`text ${node.value}`);
  }
  if (headings > 1) found.push('heading');
  return found;
}

const pieces = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.constantFrom(
      ...['@alice', '@acme/owners', '#12', 'GH-3', 'https://evil.example', 'www.evil.example', 'a@b.example'],
      ...['![x](y)', '[x](y)', '[x][y]', '[^1]', '[x]: y', '<https://evil.example>', 'acme/flights#1', sha],
      ...[
        '<img src=x onerror=y>',
        '<!--',
        '-->',
        '</details>',
        '<details>',
        '<script>',
        '<sub>',
        '&lt;',
        '&#64;',
      ],
      ...['<!-- modelgate:report flights -->', '<!-- modelgate:record -->', '<!-- /modelgate:record -->'],
      ...[
        '`',
        '``',
        '```',
        '~~~',
        '```json',
        '|',
        '\\|',
        '\\',
        '**',
        '__',
        '~~',
        '$x$',
        '$$',
        ':tada:',
        '==',
        '---',
      ],
      ...[
        '\n',
        '\r\n',
        '\n\n',
        '\n```\n',
        '\n# ',
        '\n> ',
        '\n- [ ] ',
        '1. ',
        '\t',
        '\u2028',
        '\u2029',
        '\u202e',
      ],
      ...[
        '\u200b',
        '\u2066',
        '\ufeff',
        '\0',
        '\u001b[31m',
        '\ud800',
        '\u{e0041}',
        '🟢 pass',
        '/promote to production',
      ],
    ),
  },
  { weight: 1, arbitrary: fc.string({ unit: 'grapheme', maxLength: 12 }) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 12 }) },
);
const hostile = fc.array(pieces, { minLength: 1, maxLength: 8 }).map((parts) => parts.join(''));
const perReport = 40;

describe('a report of hostile words', { timeout }, () => {
  it('[GAT-7] holds no HTML, link, image, mention or reference of 10,000 strings’ making', () => {
    let strings = 0;
    fc.assert(
      fc.property(fc.array(hostile, { minLength: perReport, maxLength: perReport }), (words) => {
        strings += words.length;
        const [summary, id, message, fix, ...rest] = words;
        const contract_checks = rest.slice(0, 8).map((text, at) => ({
          id: `${id}${text}`,
          verdict: at % 2 ? 'fail' : 'warn',
          message: text,
          line: 3,
        }));
        const value = outcome({
          ...{ verdict: 'pass', summary, inputs: { model: words[5] } },
          outputs: { reasons: rest.slice(20), contract_checks, checks: [{ id, verdict: 'fail', message }] },
          ...(strings % 80 === 0
            ? { error: { code: 'x', message: message ?? '', where: id, fix: fix ?? '' } }
            : {}),
        });
        const { body, view } = reportOf(value, {
          policy: { sha, base: sha, changes: [] },
        });
        expect(made(body)).toEqual([]);
        expect(body.length).toBeLessThanOrEqual(longestReply);
        // and it is found and read again, whatever stands in it
        expect(body.startsWith('<!-- modelgate:report flights -->\n\n### ⚪ Sample run passed')).toBe(true);
        const again = readReport(body, 'flights');
        expect(again).not.toBeNull();
        // what a comment keeps is all that it is made from
        expect(renderReport({ ...view, record: again ?? view.record })).toBe(body);
      }),
      { numRuns: 10_000 / perReport, seed: 20260301 },
    );
    expect(strings).toBe(10_000);
  });

  it('shows changes of the policy in the words of a pull request as text', () => {
    fc.assert(
      fc.property(hostile, hostile, hostile, (key, before, after) => {
        const changes = [{ part: 'gate policy', key, before, after }].map((change) => ({
          ...change,
          key: change.key.slice(0, 500),
          before: change.before.slice(0, 500),
          after: change.after.slice(0, 500),
        }));
        const { body } = reportOf(outcome(), { policy: { sha, base: sha, changes } });
        // the quote is ours
        expect(made(body).filter((one) => one !== 'blockquote')).toEqual([]);
      }),
      { numRuns: 200, seed: 7 },
    );
  });

  it('fits a comment when everything in it is as large as can be', () => {
    const wide = '<&@|`'.repeat(4000);
    const contract_checks = Array.from({ length: 5000 }, (_, at) => ({
      ...{ id: `flights.${at}`, verdict: 'fail', message: '|', line: at + 1 },
    }));
    const value = outcome({
      summary: wide.slice(0, 5000),
      outputs: { reasons: [wide.slice(0, 9000)], contract_checks: contract_checks.slice(0, 2000) },
    });
    expect(JSON.stringify(value).length).toBeLessThan(resultLimit);
    const result = parseResult(Buffer.from(JSON.stringify(value)));
    expect(result).not.toBeNull();
    const part = samplePart(result ?? raise(), {
      artifact: `modelgate-result-${'x'.repeat(100)}`,
      known: false,
    });
    const record = {
      ...emptyRecord('flights'),
      sample: { sha, run: 7, attempt: 1, url, parts: Array.from({ length: 20 }, () => part), left: {} },
    };
    const body = renderReport({ ...reportOf(outcome()).view, record });
    expect(body.length).toBeLessThanOrEqual(longestReply);
    expect(readReport(body, 'flights')?.sample?.parts).toHaveLength(20);
    expect(made(body)).toEqual([]);
  });
});

const raise = (): never => {
  throw new Error('no result');
};

describe('a result from a stranger', () => {
  const text = (value: string) => parseResult(Buffer.from(value));

  it('is refused as a whole where it is no outcome', () => {
    for (const value of [
      '',
      'null',
      '[]',
      '{}',
      '{"schema":"modelgate.outcome/2"}',
      '\ufeff{}',
      '"x"',
      'NaN',
    ])
      expect(text(value)).toBeNull();
    expect(parseResult(Buffer.from([0xff, 0xfe, 0x7b, 0x7d]))).toBeNull();
    expect(parseResult(Buffer.alloc(resultLimit + 1, 32))).toBeNull();
    expect(text(JSON.stringify(outcome({ verdict: 'success' })))).toBeNull();
    expect(text(JSON.stringify(outcome({ reason_code: '<b>' })))).toBeNull();
    expect(text(`{"a":${'['.repeat(100_000)}`)).toBeNull();
    expect(text(`{"__proto__":{"verdict":"pass"}}`)).toBeNull();
    expect(text(JSON.stringify(outcome({ outputs: { constructor: { prototype: {} } } })))).toBeNull();
  });

  it('never throws, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        parseResult(Buffer.from(bytes));
      }),
      { seed: 3 },
    );
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        parseResult(
          Buffer.from(JSON.stringify(outcome({ inputs: value, outputs: value, error: undefined }))),
        );
      }),
      { seed: 3, numRuns: 300 },
    );
  });

  it('names a model only by a name that can be one', () => {
    for (const [given, name] of [
      ['flights', 'flights'],
      ['Flights', null],
      ['../x', null],
      ['a -->', null],
      [7, null],
      [{ toString: 'x' }, null],
    ] as const)
      expect(text(JSON.stringify(outcome({ inputs: { model: given } })))?.model).toBe(name);
  });
});
