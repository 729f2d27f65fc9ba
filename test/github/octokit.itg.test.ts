import { afterEach, beforeEach, describe, expect } from 'vitest';
import { conformance, type World } from './conformance.ts';
import { actions, openWorld, probot } from './world.ts';

describe.each([
  ['the Octokit of Probot', probot, false],
  ['the Octokit of @actions/github', actions, false],
  ['GitHub Enterprise Server 3.20', probot, true],
] as const)('%s', (name, clients, enterprise) => {
  let world: World;
  beforeEach(async () => {
    world = await openWorld(clients, { enterprise });
  });
  afterEach(async () => {
    await world.server.idle();
    await world.server[Symbol.asyncDispose]();
    expect(world.server.violations).toEqual([]);
  });
  conformance(name, () => world);
});
