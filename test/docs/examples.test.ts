import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { parseDocument } from 'yaml';
import { isCommandName } from '../../src/chatops/command.ts';
import { parseComment } from '../../src/chatops/grammar.ts';
import { parseCommandLine } from '../../src/cli/arguments.ts';
import { loadCommands } from '../../src/stages/commands.ts';
import { type Example, examplesOf, wordsOf } from './examples.ts';

const {
  commands: calls,
  comments,
  yaml,
} = await examplesOf(['README.md', 'docs/**/*.md', 'actions/*/README.md']);
const commands = await loadCommands();

/** Words that stand for a value. */
const placeholders: readonly (readonly [word: string, value: string])[] = [
  ['VERSION', '1'],
  ['SHA', 'a'.repeat(40)],
  ['<sha>', 'a'.repeat(40)],
  ['DIGEST', 'a'.repeat(12)],
  ['ENVIRONMENT', 'staging'],
  ['…', 'a'.repeat(12)],
];
const filled = (text: string) =>
  placeholders.reduce((left, [word, value]) => left.replaceAll(word, value), text);

/** What is wrong with a call; null when the command line takes it. */
function wrongCall({ text, inline }: Example): string | null {
  const words = wordsOf(filled(text));
  const command = commands.find(({ name }) => words.slice(0, name.split(' ').length).join(' ') === name);
  if (command === undefined) {
    return inline && /^(?:-|registry$|[A-Z]+$|<)/.test(text) ? null : 'no such command';
  }
  try {
    parseCommandLine(command, words.slice(command.name.split(' ').length));
    return null;
  } catch (error) {
    const said = error instanceof Error ? error.message : String(error);
    return inline && leftOut.test(said) ? null : said;
  }
}

/** In a sentence a command may be named without all that it needs. */
const leftOut = /is needed|needs a value|Here is missing|needs --/;

/** What is wrong with a comment; null when it commands, or is no command's name. */
function wrongComment({ text }: Example): string | null {
  const name = /^\/([a-z-]+)/.exec(text)?.[1] ?? '';
  if (!isCommandName(name) || /[[\]{}]/.test(text) || text === `/${name}`) return null;
  const parsed = parseComment(filled(text));
  return parsed.kind === 'command' || leftOut.test(JSON.stringify(parsed)) ? null : JSON.stringify(parsed);
}

/** What is wrong with a piece of modelgate.yaml; null where it fits, or is of another file. */
const schema = JSON.parse(readFileSync('docs/schema/modelgate.schema.json', 'utf8')) as {
  $defs: Record<string, unknown> & { changes: { properties: Record<string, unknown> } };
};
const validate = new Ajv2020({ strict: false, validateFormats: false }).compile({
  $defs: schema.$defs,
  $ref: '#/$defs/changes',
});
function wrongYaml({ text }: Example): string | null {
  const document = parseDocument(text.replaceAll('…', 'a'.repeat(64)));
  if (document.errors.length > 0) return text.includes('…') ? null : String(document.errors[0]);
  const value: unknown = document.toJS();
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return null;
  const known = Object.keys(schema.$defs.changes.properties);
  if (!Object.keys(value).every((key) => known.includes(key))) return null;
  return validate(value) ? null : JSON.stringify(validate.errors?.[0]);
}

const wrong = (found: readonly Example[], look: (one: Example) => string | null) =>
  found.flatMap((one) => {
    const said = look(one);
    return said === null ? [] : [`${one.where}: ${one.text}: ${said}`];
  });

describe('what the docs show to be typed', () => {
  it('are commands and options that there are', () => {
    expect(calls.length).toBeGreaterThan(100);
    expect(wrong(calls, wrongCall)).toEqual([]);
  });

  it('are comments that the grammar takes', () => {
    expect(comments.length).toBeGreaterThan(50);
    expect(wrong(comments, wrongComment)).toEqual([]);
  });

  it('are keys and values that modelgate.yaml takes', () => {
    expect(yaml.length).toBeGreaterThan(20);
    expect(wrong(yaml, wrongYaml)).toEqual([]);
  });

  it.each([
    ['promote flights-late --too staging', wrongCall],
    ['promot flights-late --to staging', wrongCall],
    ['/promote flights in staging to production', wrongComment],
    ['monitoring: { tyme: placed_at }', wrongYaml],
    ['environments: [{ name: staging, aproval: true }]', wrongYaml],
  ])('is found where it is wrong: %s', (text, look) => {
    expect(look({ text, where: '', inline: false })).not.toBeNull();
  });
});
