import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { exitCode } from '../../src/outcome.ts';
import { defineStage, runStage } from '../../src/stages/define.ts';
import { lock } from '../../src/stages/lock.ts';
import { status } from '../../src/stages/status.ts';
import { contextOf, environments, model, openRegistry, temporaryFolder } from '../registry/world.ts';

describe('runStage', () => {
  it("tells a misfit of a stage's inputs as the user's mistake, not as a fault of ours", async () => {
    const context = contextOf(openRegistry(temporaryFolder()));
    const time = await runStage(status, { model, at: 'yesterday' }, context);
    expect(time).toMatchObject({ verdict: 'error', reason_code: 'usage', error: { where: 'at' } });
    expect(time.summary).toContain('expected a date or a time');
    expect(exitCode(time)).toBe(1);

    const length = { model, environment: 'staging', environments, reason: 'audit', ttl: '5x', op_id: 'a' };
    const locked = await runStage(lock, length, context);
    expect(locked.error).toMatchObject({ code: 'usage', where: 'ttl' });
    expect(locked.summary).not.toContain('\n');
  });

  it('gives two equal runs at once one result: the first that was kept stands', async () => {
    const context = contextOf(openRegistry(temporaryFolder()));
    let made = 0;
    const slow = defineStage({
      name: 'slow',
      description: 'Gives another number each time.',
      inputs: z.object({ seed: z.number() }),
      outputs: z.object({ number: z.number() }),
      cache: { version: 1 },
      run: async () => {
        made += 1;
        const number = made;
        await sleep(20);
        return { verdict: 'pass', reason_code: 'done', summary: 'Done.', outputs: { number } };
      },
    });
    const [one, two] = await Promise.all([
      runStage(slow, { seed: 1 }, context),
      runStage(slow, { seed: 1 }, context),
    ]);
    expect(made).toBe(2);
    expect(one.outputs.number).toBe(two.outputs.number);
    expect(await runStage(slow, { seed: 1 }, context)).toMatchObject({ cached: true, outputs: one.outputs });
  });
});
