import { describe, expect, it } from 'vitest';
import { ContextSource } from '../../bot/context.ts';
import type { GitHub } from '../../src/github/port.ts';
import { sha256 } from '../../src/json.ts';
import { silentLogger } from '../../src/logger.ts';
import { temporaryFolder } from '../registry/world.ts';
import { base, configOf, manyModels, nameOf } from '../repository/world.ts';

const count = 200;

/** A default branch, and what was asked of GitHub. */
function repository(files: Record<string, string>) {
  const asked: string[] = [];
  const state = { files, sha: '1'.repeat(40) };
  const github: Pick<GitHub, 'repository' | 'defaultBranch' | 'file' | 'tree'> = {
    repository: { owner: 'acme', repo: 'models' },
    defaultBranch: async () => ({ name: 'main', sha: state.sha }),
    async file({ path }) {
      asked.push(path);
      const text = state.files[path];
      return text === undefined ? null : Buffer.from(text);
    },
    async tree() {
      asked.push('the tree');
      return Object.entries(state.files).map(([path, text]) => ({ path, blob: sha256(text).slice(0, 40) }));
    },
  };
  return { github: github as GitHub, asked, state };
}

const warned: string[] = [];
const source = (...configFiles: string[]) =>
  new ContextSource({
    settings: { store: temporaryFolder(), configFiles },
    logger: { ...silentLogger, warn: (line) => warned.push(line) },
  });

describe('the bot finds 200 models by a pattern', () => {
  it('reads each file once, and of a later commit what it changed', async () => {
    const { github, asked, state } = repository({ 'README.md': '', ...manyModels(count) });
    const bot = source('**/modelgate.yaml');
    const { models } = await bot.of(github);
    expect([...models.keys()]).toEqual(Array.from({ length: count }, (_, n) => nameOf(n)));
    expect(models.get(nameOf(10))).toMatchObject({
      file: configOf(10),
      depends: expect.arrayContaining(['base.yaml', 'shared/geo/**', 'gate.yaml']),
    });
    // every configuration, both bases, the gate policy and the tree
    expect(asked).toHaveLength(count + 4);
    expect(new Set(asked).size).toBe(asked.length);
    asked.length = 0;
    await bot.of(github);
    expect(asked).toEqual([]);
    state.sha = '2'.repeat(40);
    state.files = { ...state.files, [configOf(7)]: `extends: ../../base.yaml\nmodel: other\n` };
    expect((await bot.of(github)).models.get('other')?.file).toBe(configOf(7));
    expect(asked).toEqual(['the tree', configOf(7)]);
  });

  it('leaves out one that cannot be read, says so, and keeps the others', async () => {
    const { github } = repository({ ...manyModels(3), [configOf(1)]: 'model: [' });
    expect([...(await source('**/modelgate.yaml').of(github)).models.keys()]).toEqual([nameOf(0), nameOf(2)]);
    expect(warned.join('\n')).toContain(configOf(1));
    // one that is named by its path holds rules that must not be lost
    await expect(source(configOf(1), '**/modelgate.yaml').of(github)).rejects.toMatchObject({
      code: 'config_invalid',
    });
  });

  it('takes no policy from whichever comes first', async () => {
    const policy = 'chatops: { train: { role: read } }\n';
    const files = {
      ...manyModels(2),
      'a/modelgate.yaml': `${base.replace('gate.yaml', '../gate.yaml')}model: a\n${policy}`,
    };
    const { github } = repository(files);
    await expect(source('**/modelgate.yaml').of(github)).rejects.toThrow(
      /policies of a\/modelgate\.yaml and models/,
    );
    const { policy: held, models } = await source(configOf(0), '**/modelgate.yaml').of(github);
    expect(held.train).toMatchObject({ role: 'maintain' });
    expect([...models.keys()]).toEqual([nameOf(0), 'a', nameOf(1)]);
  });

  it('names both files of one model, and what it looked for', async () => {
    const { github } = repository({
      ...manyModels(1),
      'x/modelgate.yaml': `${base.replace('gate.yaml', '../gate.yaml')}model: ${nameOf(0)}\n`,
    });
    await expect(source('**/modelgate.yaml').of(github)).rejects.toThrow(
      `model-000: x/modelgate.yaml and ${configOf(0)}.`,
    );
    await expect(source('conf/*.yaml').of(repository({}).github)).rejects.toThrow('none of conf/*.yaml');
  });
});
