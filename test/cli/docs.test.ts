import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { cliPage } from '../../scripts/cli-docs.ts';
import { commandHelp, overview } from '../../src/cli/help.ts';
import { commandNames, loadCommands } from '../../src/stages/commands.ts';

const commands = await loadCommands();

describe('the command line', () => {
  it('knows every command before its code is loaded', () => {
    expect(commandNames).toEqual(commands.map(({ name }) => name));
  });

  it('has its page made from the commands; npm run docs writes it', async () => {
    expect(await readFile('docs/cli.md', 'utf8')).toBe(cliPage());
  });

  it('describes every command and option, with an example that names the command', () => {
    for (const command of commands) {
      expect(overview(commands)).toContain(command.name);
      expect(command.examples.join(' '), command.name).toContain(`modelgate ${command.name}`);
      expect(commandHelp(command), command.name).not.toMatch(/--[a-z-]+(?: \S+)? {2,}(?:\(|$)/m);
    }
  });
});
