import { describe, expect, it } from 'vitest';
import { longestReply } from '../../src/chatops/reply.ts';
import { ready, sha, type World } from './world.ts';

const many = 200;
const nameOf = (number: number) => `${'long-'.repeat(11)}${String(number).padStart(3, '0')}`;
const fileOf = (name: string) => `models/${name}/modelgate.yaml`;

/** A repository of 200 models with long names, all in one store. */
async function crowded(): Promise<World> {
  const world = await ready();
  const [[, one] = []] = world.context.models;
  world.context.models = new Map(
    Array.from({ length: many }, (_, number) => nameOf(number)).map((name) => [
      name,
      { ...one!, file: fileOf(name), config: { ...one!.config, model: name }, depends: ['shared/geo'] },
    ]),
  );
  return world;
}
const lastReply = (world: World) => world.github.threads.findLast(({ ours }) => ours)?.body ?? '';

describe('/train among 200 models', () => {
  it('trains the one that the pull request touches, or the one that is named', async () => {
    const world = await crowded();
    world.github.changed = [`models/${nameOf(42)}/train.py`, 'README.md'];
    expect(await world.say('max', '/train')).toMatchObject({ decision: 'started' });
    const inputs = { sha: sha('1'), model: nameOf(42), config: fileOf(nameOf(42)) };
    expect(world.github.workflowRuns[0]).toMatchObject({ inputs });
    expect(lastReply(world)).toContain(nameOf(42));

    expect(await world.say('max', `/train ${nameOf(7)}`)).toMatchObject({ decision: 'started' });
    expect(world.github.workflowRuns[0]).toMatchObject({ inputs: { model: nameOf(7) } });
    expect(await world.say('max', '/train nobody')).toMatchObject({ reason: 'unknown_model' });
  });

  it('guesses nothing where the pull request touches several, none, or more than GitHub tells', async () => {
    const world = await crowded();
    const cases: [string[], RegExp][] = [
      [['shared/geo/distance.py'], /touches 200 models: .* and more/],
      [['README.md'], /has 200 models/],
      [Array(300).fill(`models/${nameOf(3)}/train.py`), /has 200 models/],
    ];
    for (const [changed, says] of cases) {
      world.github.changed = changed;
      expect(await world.say('max', '/train')).toMatchObject({ reason: 'ambiguous' });
      expect(lastReply(world).replaceAll('\\', '')).toMatch(says);
      expect(lastReply(world).length).toBeLessThan(longestReply);
    }
    expect(world.github.workflowRuns).toEqual([]);
  });
});

it('/status of 200 models ends with a whole model and names others', async () => {
  const world = await crowded();
  expect(await world.say('rea', '/status')).toMatchObject({ decision: 'done' });
  const reply = lastReply(world);
  expect(reply.length).toBeLessThan(longestReply);
  const told = [...reply.matchAll(/^\*\*long.*?(\d{3})\*\*$/gm)].map(([, number]) => Number(number));
  expect(told).toEqual([...told.keys()]);
  expect(told).toHaveLength(20);
  expect(reply.split('Last rollback drill: none.')).toHaveLength(told.length + 1);
  expect(reply).toContain(`Not told here: \`${nameOf(20)}\``);
  expect(reply).toContain('and 80 more');
});
