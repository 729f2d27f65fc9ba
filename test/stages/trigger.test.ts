import path from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { silentLogger } from '../../src/logger.ts';
import { openProject } from '../../src/stages/project.ts';
import { temporaryFolder } from '../registry/world.ts';

afterEach(() => vi.unstubAllEnvs());

describe('[TRG-1] what started a run', () => {
  it.each(['code', 'data', 'schedule', 'alert', 'manual'])('%s stands in what it makes', async (trigger) => {
    vi.stubEnv('MODELGATE_TRIGGER', trigger);
    vi.stubEnv('GITHUB_EVENT_NAME', 'workflow_dispatch');
    const folder = temporaryFolder();
    await using project = await openProject({
      configFile: path.join(folder, 'modelgate.yaml'),
      store: path.join(folder, 'store'),
      actor: { name: 'ann', via: 'cli' },
      logger: silentLogger,
      signal: new AbortController().signal,
    });
    const { store, producer } = project.context;
    const made = await store.putManifest({ kind: 'model', files: [], inputs: {}, facts: {}, producer });
    expect((await store.readManifest(made, 'model')).producer.trigger).toBe(trigger);
  });
});
