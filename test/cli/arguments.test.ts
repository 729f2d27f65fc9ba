import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { parseCommandLine } from '../../src/cli/arguments.ts';
import { commandHelp } from '../../src/cli/help.ts';
import { UserError } from '../../src/errors.ts';
import type { Command } from '../../src/stages/command.ts';

const promote: Command = {
  name: 'promote',
  description: 'Moves a version.',
  positional: ['model'],
  options: z.object({
    model: z.string().describe('MODEL[@VERSION]'),
    to: z.string().describe('The environment'),
    expected_generation: z.number().int().optional().describe('Refuse if it has moved'),
    dry_run: z.boolean().default(false).describe('Only say what would happen'),
    input: z.array(z.string()).optional().describe('May be given more than once'),
  }),
  examples: ['modelgate promote flights@2 --to staging'],
  run: () => Promise.reject(new Error('not run here')),
};

function refusal(...args: string[]): UserError {
  try {
    parseCommandLine(promote, args);
  } catch (error) {
    if (error instanceof UserError) return error;
    throw error;
  }
  throw new Error('was accepted');
}

describe('parseCommandLine', () => {
  it('reads positional arguments, flags, numbers and global flags', () => {
    const line = [
      'flights@2',
      '--to',
      'staging',
      '--expected-generation=3',
      '--dry-run',
      '--json',
      '--input',
      'a',
      '--input',
      'b',
    ];
    const { options, global } = parseCommandLine(promote, line);
    expect(options).toEqual({
      model: 'flights@2',
      to: 'staging',
      expected_generation: 3,
      dry_run: true,
      input: ['a', 'b'],
    });
    expect(global.json).toBe(true);
  });

  it('says which argument is needed', () => {
    expect(refusal('--to', 'staging').message).toBe('MODEL is needed.');
    expect(refusal('flights').message).toBe('--to is needed.');
  });

  it('names the nearest flag for a mistyped one', () => {
    expect(refusal('flights', '--too', 'staging').message).toContain('Did you mean --to?');
  });

  it('refuses words where numbers belong, and too many arguments', () => {
    expect(refusal('flights', '--to', 'x', '--expected-generation', 'three').message).toContain(
      'takes a number',
    );
    expect(refusal('a', 'b', '--to', 'x').message).toContain('Too many arguments: "b"');
  });

  it.each([
    [
      ['--expected-generation', '-1'],
      '--expected-generation is followed by "-1", which begins with a dash: write --expected-generation=-1 if that is its value.',
    ],
    [['--expected-generation', '--to', 'y'], '--expected-generation needs a value, and --to follows it.'],
    [['--expected-generation'], '--expected-generation needs a value.'],
  ])('tells what stands in the place of a value: %s', (args, message) => {
    expect(refusal('flights', '--to', 'x', ...args).message).toBe(message);
  });

  it('makes help from the same schema', () => {
    const help = commandHelp(promote);
    expect(help).toContain('Usage: modelgate promote MODEL [OPTIONS]');
    expect(help).toContain('--expected-generation N');
    expect(help).toContain('modelgate promote flights@2 --to staging');
  });
});
