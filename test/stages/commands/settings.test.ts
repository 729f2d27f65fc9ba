import { generateKeyPairSync } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { silentLogger } from '../../../src/logger.ts';
import { promote } from '../../../src/rollout/move.ts';
import { loadCommand } from '../../../src/stages/commands.ts';
import { openProject } from '../../../src/stages/project.ts';
import {
  bob,
  model,
  openRegistry,
  promotion,
  registerVersions,
  temporaryFolder,
} from '../../registry/world.ts';

const config = `schema: modelgate/1
model: ${model}
data: { sources: { flights: { file: data.parquet } } }
features: { sql: f.sql, key: id, label: y }
split: { by: hash }
train: { script: train.py, requirements: req.lock, task: classification }
evaluation: { id: june, file: e.parquet, sha256: "${'e'.repeat(64)}" }
gate: gate.yaml
environments:
  - name: staging
  - name: production
    signature: { keys: [release.pub] }
`;

/** A checkout whose data are elsewhere; version 1 serves in staging, nothing is signed. */
async function checkout() {
  const folder = temporaryFolder();
  const put = (name: string, text: string) => writeFileSync(path.join(folder, name), text);
  const { publicKey } = generateKeyPairSync('ed25519');
  put('release.pub', publicKey.export({ type: 'spki', format: 'pem' }).toString());
  put('gate.yaml', 'metrics: [{ metric: auc, margin: 0.02 }]\n');
  put('modelgate.yaml', config);
  const store = path.join(folder, '.modelgate/store');
  await registerVersions(openRegistry(store), 1);
  await promote(openRegistry(store), { ...promotion, version: 1, actor: bob });
  vi.spyOn(process, 'cwd').mockReturnValue(folder);
  onTestFinished(() => void vi.restoreAllMocks());
  const call = async (name: string, options: object, configFile?: string) => {
    await using project = await openProject({
      configFile,
      store: undefined,
      actor: bob,
      logger: silentLogger,
      signal: new AbortController().signal,
    });
    const command = (await loadCommand(name))!;
    return await command.run(command.options.parse(options), project);
  };
  const toProduction = (configFile?: string) =>
    call('promote', { model: `${model}@1`, to: 'production' }, configFile);
  return { folder, put, call, toProduction };
}

describe("an environment's rules", () => {
  it('[GAT-4] [DEP-7] hold where the data that modelgate.yaml names is not there', async () => {
    const { call, toProduction } = await checkout();
    expect(await toProduction()).toMatchObject({ verdict: 'error', reason_code: 'signature_missing' });
    expect(await toProduction('modelgate.yaml')).toMatchObject({ reason_code: 'signature_missing' });
    expect(await call('verify-signature', { model: `${model}@1`, in: 'production' })).toMatchObject({
      reason_code: 'signature_missing',
    });
    expect(await call('status', {})).toMatchObject({ verdict: 'pass', outputs: { model } });
    await expect(call('verify-signature', { model: `${model}@1`, in: 'nowhere' })).rejects.toMatchObject({
      code: 'environment_unknown',
    });
  });

  it('[GAT-4] are not lost with a file that holds a part of them: the move is refused', async () => {
    const { folder, put, call, toProduction } = await checkout();
    rmSync(path.join(folder, 'gate.yaml'));
    await expect(toProduction()).rejects.toMatchObject({ code: 'config_missing' });
    put('modelgate.yaml', 'extends: none.yaml\n');
    await expect(toProduction()).rejects.toMatchObject({ code: 'config_missing' });
    put('modelgate.yaml', 'a: [\n');
    await expect(toProduction()).rejects.toMatchObject({ code: 'config_invalid' });
    for (const mistyped of ['typo.yaml', 'gate.yaml/x', '.', 'x'.repeat(300)]) {
      await expect(toProduction(mistyped)).rejects.toMatchObject({ code: 'config_missing' });
      // nor is another store looked at
      await expect(call('registry verify', {}, mistyped)).rejects.toMatchObject({ code: 'config_missing' });
    }
  });

  it('are the usual ones only where no configuration was named and there is none', async () => {
    const { folder, toProduction, call } = await checkout();
    rmSync(path.join(folder, 'modelgate.yaml'));
    await expect(toProduction('modelgate.yaml')).rejects.toMatchObject({ code: 'config_missing' });
    await expect(call('status', {})).rejects.toMatchObject({ code: 'config_missing' });
    expect(await toProduction()).toMatchObject({ verdict: 'pass' });
  });

  it('[GAT-6] ask for an approval where the data is not there', async () => {
    const { put, toProduction } = await checkout();
    put('modelgate.yaml', config.replace('signature: { keys: [release.pub] }', 'approval: true'));
    expect(await toProduction()).toMatchObject({ verdict: 'error', reason_code: 'approval_needed' });
  });
});
