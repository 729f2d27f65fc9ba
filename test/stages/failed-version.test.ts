import { describe, expect, it } from 'vitest';
import { promote } from '../../src/rollout/move.ts';
import { runStage } from '../../src/stages/define.ts';
import { score } from '../../src/stages/score.ts';
import { startService } from '../../src/stages/serve.ts';
import {
  alice,
  contextOf,
  model,
  openRegistry,
  promotion,
  registerVersions,
  temporaryFolder,
} from '../registry/world.ts';

/** A log that says, against the rules, that a version which failed its gate serves. */
async function forged() {
  const registry = openRegistry(temporaryFolder());
  await registerVersions(registry, 1);
  await promote(registry, { ...promotion, version: 1, actor: alice });
  await registerVersions(registry, 1, { seed: 2, verdict: 'fail' });
  await registry.commit({
    ...{ model, op_id: 'forged', matches: () => true },
    decide: ({ versions }) => ({
      ...{ type: 'promote', op_id: 'forged', actor: alice, environment: 'staging', generation: 2 },
      ...{ version: 2, manifest: versions[1]!.manifest, from: 1 },
    }),
  });
  return contextOf(registry);
}

describe('a version that failed its gate and serves all the same, by the log', () => {
  it('[REG-6] is not scored with', async () => {
    const files = { input: 'rows.csv', output: 'scores.csv' };
    const ended = await runStage(score, { model, environment: 'staging', ...files }, await forged());
    expect(ended).toMatchObject({ verdict: 'error', reason_code: 'not_passed' });
  });

  it('[REG-6] is not served', async () => {
    const input = {
      model,
      environment: 'staging',
      host: '127.0.0.1',
      port: 0,
      personal: [],
      trust: undefined,
    };
    const service = await startService({ ...input, log_directory: temporaryFolder() }, await forged());
    try {
      expect(service.status()).toMatchObject({
        serving: null,
        wanted: { version: 2 },
        loadError: { code: 'not_passed' },
      });
    } finally {
      await service.close();
    }
  });
});
