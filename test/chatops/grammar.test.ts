import { describe, expect, it } from 'vitest';
import { commandNames, type ParsedComment } from '../../src/chatops/command.ts';
import { parseComment } from '../../src/chatops/grammar.ts';
import { commandLine } from '../../src/chatops/spelling.ts';
import { vocabulary } from '../../src/chatops/vocabulary.ts';

const command = (body: string) => {
  const parsed = parseComment(body);
  if (parsed.kind !== 'command') throw new Error(`${body}: ${JSON.stringify(parsed)}`);
  return parsed.command;
};
const mistake = (body: string): Extract<ParsedComment, { kind: 'mistake' }> => {
  const parsed = parseComment(body);
  if (parsed.kind !== 'mistake') throw new Error(`${body}: ${JSON.stringify(parsed)}`);
  return parsed;
};

const promote = {
  ...{ name: 'promote', model: null, version: null, environment: null },
  ...{ dryRun: false, canary: null, confirm: null, override: false, reason: null },
};
const rollback = {
  ...{
    name: 'rollback',
    model: null,
    environment: null,
    to: null,
    steps: 1,
    dryRun: false,
    noFreeze: false,
    reason: null,
  },
};
const day = 86_400_000;

describe('a command', () => {
  it.each([
    ['/promote', promote],
    ['/promote to staging', { ...promote, environment: 'staging' }],
    ['/promote flights to staging', { ...promote, model: 'flights', environment: 'staging' }],
    [
      '/promote flights@4 to production --canary=10 --confirm=0123456789AB',
      {
        ...promote,
        model: 'flights',
        version: 4,
        environment: 'production',
        canary: 10,
        confirm: '0123456789ab',
      },
    ],
    ['/Promote Flights To Staging', { ...promote, model: 'flights', environment: 'staging' }],
    ['/promote --dry-run to staging', { ...promote, environment: 'staging', dryRun: true }],
    ['/promote \u2014dry-run to staging', { ...promote, environment: 'staging', dryRun: true }],
    [
      '/promote\u00a0to staging --override --reason \u201cdon\u2019t wait\u201d',
      { ...promote, environment: 'staging', override: true, reason: 'don\u2019t wait' },
    ],
    ['/promote "to" to staging', { ...promote, model: 'to', environment: 'staging' }],
    ['/rollback', rollback],
    ['/rollback in production', { ...rollback, environment: 'production' }],
    [
      '/rollback flights in production to 3',
      { ...rollback, model: 'flights', environment: 'production', to: 3 },
    ],
    [
      '/rollback flights to 3 in production',
      { ...rollback, model: 'flights', environment: 'production', to: 3 },
    ],
    ['/rollback --steps 2', { ...rollback, steps: 2 }],
    [
      '/rollback in production --no-freeze --reason="late feed"',
      { ...rollback, environment: 'production', noFreeze: true, reason: 'late feed' },
    ],
    ['/rollback --reason=\'it said "no"\'', { ...rollback, reason: 'it said "no"' }],
    [
      '/approve flights@4 to production',
      { name: 'approve', model: 'flights', version: 4, environment: 'production' },
    ],
    ['/train', { name: 'train', model: null }],
    ['/train flights', { name: 'train', model: 'flights' }],
    [`/ok-to-train ${'aB'.repeat(20)}`, { name: 'ok-to-train', sha: 'ab'.repeat(20), model: null }],
    ['/retrain flights', { name: 'retrain', model: 'flights' }],
    ['/status in production', { name: 'status', model: null, environment: 'production' }],
    [
      '/lock production --reason="release week" --ttl=2d',
      { name: 'lock', model: null, environment: 'production', reason: 'release week', ttl: 2 * day },
    ],
    [
      '/hold flights in production --reason=audit',
      { name: 'hold', model: 'flights', environment: 'production', reason: 'audit', ttl: null },
    ],
    ['/unlock in production', { name: 'unlock', model: null, environment: 'production', reason: null }],
    [
      '/release production --reason=over',
      { name: 'release', model: null, environment: 'production', reason: 'over' },
    ],
    ['/explain flights@4', { name: 'explain', model: 'flights', version: 4 }],
    ['/drift run', { name: 'drift', action: 'run', model: null }],
    ['/drift snooze 7 flights', { name: 'drift', action: 'snooze', days: 7, model: 'flights' }],
    ['/cancel', { name: 'cancel' }],
    ['/help /promote', { name: 'help', about: 'promote' }],
  ])('%s', (line, expected) => {
    expect(command(line)).toEqual(expected);
  });

  it('is written as its examples say', () => {
    for (const name of commandNames)
      for (const example of vocabulary[name].examples) {
        expect(command(example).name).toBe(name);
        expect(commandLine(command(example))).toBe(example);
      }
  });

  it('is one whatever the rest of its paragraph is, and however long', () => {
    for (const rest of ['a\n'.repeat(30_000), '> a', '- a', '```\na\n```', '# a', '***', '<p>\n', '[a]: b'])
      expect(command(`/train\n${rest}`).name).toBe('train');
    expect(command('/train\n\n---').name).toBe('train');
  });

  it('is the first line alone', () => {
    expect(command('\n\n  /train  \nbecause I say so\n\n/rollback').name).toBe('train');
    expect(parseComment('/train\r\n\r\nThanks!')).toMatchObject({ line: '/train' });
  });
});

describe('Markdown that never commands', () => {
  it.each([
    ['a quote', '> /promote to staging'],
    ['a fence', '```\n/promote to staging\n```'],
    ['code', '`/promote to staging`'],
    ['an indented block', '    /promote to staging'],
    ['a tab', '\t/promote to staging'],
    ['a heading', '# /promote to staging'],
    ['a heading by its underline', '/promote to staging\n==='],
    ['a heading by its underline, many lines later', `/promote to staging\n${'a\n'.repeat(90)}---`],
    ['a heading by its underline, with spaces', '/promote to staging\n   ===  '],
    ['a heading by one dash', '/promote to staging\nbecause\n-'],
    ['a heading, told by returns', '/promote to staging\rbecause\r---\r'],
    ['a rule below a quote, which is wider than Markdown', '/promote to staging\n> a\n---'],
    ['a list', '- /promote to staging'],
    ['a link', '[/promote to staging](https://example.org)'],
    ['emphasis', '**/promote to staging**'],
    ['HTML', '<p>/promote to staging</p>'],
    ['after a comment in HTML', '<!-- x -->\n/promote to staging'],
    ['a table', '/promote | to\n---|---\na | b'],
    ['a table of one column', '/promote to staging\n:-:\na'],
    ['a table with a wide rule', `/promote | to\n|${'-'.repeat(100)}|---|`],
    ['an escape', '\\/promote to staging'],
    ['an entity', '&#47;promote to staging'],
    ['the second line', 'Look:\n/promote to staging'],
    ['the second paragraph', 'Look:\n\n/promote to staging'],
    ['a footnote', '[^1]: /promote to staging'],
    ['nothing', ''],
    ['a path', '/usr/bin/train'],
    ['a slash', '/ promote to staging'],
    ['two slashes', '//promote to staging'],
    ['more than GitHub takes', `/train\n\n${'a'.repeat(65_536)}`],
  ])('%s', (_, body) => {
    expect(parseComment(body)).toEqual({ kind: 'none' });
  });
});

describe('letters that look alike, and what cannot be seen', () => {
  it.each([
    ['Cyrillic', '/pr\u043emote to staging'],
    ['a Kelvin sign', '/roll\u0042ac\u212a in staging'],
    ['a zero-width space in the verb', '/pro\u200bmote to staging'],
    ['a zero-width space in a name', '/promote to sta\u200bging'],
    ['a zero-width space at the end', '/promote to staging\u200b'],
    ['a byte order mark at the end', '/promote to staging\ufeff'],
    ['a byte order mark at the start', '\ufeff/promote to staging'],
    ['right to left', '/promote to \u202estaging'],
    ['an isolate in a reason', '/promote to staging --reason="\u2066x\u2069"'],
    ['a fraction slash', '\u2044promote to staging'],
    ['a full-width slash', '\uff0fpromote to staging'],
    ['full-width letters', '/\uff50romote to staging'],
    ['a combining mark', '/promote\u0301 to staging'],
    ['a combining mark in a name', '/promote to staging\u0301'],
    ['a hyphen that does not break', '/promote to staging \u2011\u2011dry-run'],
    ['a null', '/promote to staging\0'],
    ['a lone surrogate', '/promote to staging --reason="\ud800"'],
    ['digits of another script', '/rollback to \u0663'],
  ])('never command: %s', (_, body) => {
    expect(parseComment(body).kind).not.toBe('command');
  });
});

describe('a slip', () => {
  it.each([
    ['/promte to staging', '/promote to staging'],
    ['/PROMOET flights', '/promote flights'],
    ['/stats', '/status'],
    ['/trian', '/train'],
    ['/promote in staging', '/promote to staging'],
    ['/promote flights into staging', '/promote flights to staging'],
    ['/promote flights staging', '/promote flights to staging'],
    ['/promote `flights` to **staging**', '/promote flights to staging'],
    ['/promote flights@v4 to staging', '/promote flights@4 to staging'],
    ['/promote to staging --dryrun', '/promote to staging --dry-run'],
    ['/promote to staging --dry-run=true', '/promote to staging --dry-run'],
    ['/promote to staging --dry-run=false', null],
    ['/promote to staging --noop', null],
    ['/promote to staging --canary=10%', '/promote to staging --canary=10'],
    ['/promote to staging --canary=10 --canary=20', null],
    ['/promote to staging --canary', null],
    ['/promote to staging --canary=0', null],
    ['/promote to staging --canary=1e1', null],
    [
      `/promote to staging --confirm=sha256:${'ab'.repeat(32)}`,
      `/promote to staging --confirm=${'ab'.repeat(6)}`,
    ],
    ['/promote to staging --override', '/promote to staging --override --reason=why'],
    ['/promote to staging --confirm=0123456789a', null],
    ['/promote to', null],
    ['/promote to staging to production', null],
    ['/rollback production to 3 to 4', null],
    ['/rollback to 3 --steps 2', '/rollback to 3'],
    ['/rollback --no-freeze', '/rollback --no-freeze --reason=why'],
    ['/rollback --nofreeze --reason=why', '/rollback --no-freeze --reason=why'],
    ['/rollback to v3', '/rollback to 3'],
    ['/rollback in production --reason AUC fell a lot', '/rollback in production --reason="AUC fell a lot"'],
    ['/rollback in production --reason="AUC fell', null],
    ['/rollback in production --reason="a"b', null],
    ['/rollback in production --reason=""', null],
    [`/rollback in production --reason="${'a'.repeat(501)}"`, null],
    ['/lock production', '/lock production --reason=why'],
    ['/lock', null],
    ['/lock production --reason=x --ttl=91d', null],
    ['/drift', null],
    ['/drift snoze 7', '/drift snooze 7'],
    ['/drift snooze 7d', '/drift snooze 7'],
    ['/drift snooze 91', null],
    ['/train now please', null],
    ['/ok-to-train 0123abc', null],
    ['/ok-to-train', null],
    ['/help promte', '/help promote'],
    ['/promote to st\u200baging', '/promote to staging'],
    ['/promote to ../../etc', null],
    ['/promote to a..b', null],
    [`/promote to staging ${' '.repeat(1000)}`.concat('x'), null],
    ['/promote is how you move a model', null],
  ])('%s', (line, suggestion) => {
    const { message, suggestion: said } = mistake(line);
    expect({ line, said }).toEqual({ line, said: suggestion });
    expect(message).toMatch(/^[^\n]{10,400}$/);
    if (said !== null) expect(parseComment(said)).toMatchObject({ kind: 'command' });
  });

  it.each([
    '/deploy',
    '/lgtm',
    '/retest',
    '/rebase',
    '/unhold',
    '/merge',
    '/ok-to-test',
    '/assign @alice',
    '/hello',
    '/close',
    '/run',
    '/label bug',
    '/cc @alice',
    '/help-wanted',
    '/test all',
    '/plan',
    '/backport 1.2',
  ])('is no word of another bot: %s', (line) => {
    expect(parseComment(line)).toEqual({ kind: 'none' });
  });

  it('says what is wrong', () => {
    expect(mistake('/promote to staging --frce').message).toBe('--frce is no option of /promote.');
    expect(mistake('/train --fast').message).toBe('--fast is no option of /train, which has none.');
    expect(mistake('/lock production').message).toBe('/lock needs --reason="why".');
    expect(mistake('/drift stop').message).toBe('After /drift comes run, ack or snooze.');
    expect(mistake('/rollback to 3 --steps 2').message).toMatch(/^--steps does not go with the rest: /);
  });
});
