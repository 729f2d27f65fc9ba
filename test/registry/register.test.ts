import { describe, expect, it } from 'vitest';
import { register } from '../../src/registry/register.ts';
import { alice, model, openRegistry, type Recipe, storeRun, temporaryFolder } from './world.ts';

async function registering(recipe: Recipe) {
  const registry = openRegistry(temporaryFolder());
  return register(registry, { model, gate: await storeRun(registry.store, recipe), actor: alice });
}
const lacking = (what: RegExp) => ({ code: 'record_incomplete', message: expect.stringMatching(what) });

describe('register', () => {
  it('[REG-1] makes a version that leads to code, data, parameters, metrics and environment', async () => {
    const registry = openRegistry(temporaryFolder());
    const gate = await storeRun(registry.store);
    const registered = await register(registry, { model, gate, actor: alice });
    expect(registered).toMatchObject({ version: 1, verdict: 'pass', seq: 2, fresh: true });
    const manifest = await registry.store.readManifest(registered.manifest, 'model');
    expect(manifest.facts).toMatchObject({ params: { depth: 3 }, metrics: { auc: 0.7 }, environment: {} });
    expect(manifest.producer.commit).toBe('c0ffee');
    expect(manifest.files.map(({ name }) => name)).toContain('model.onnx');
  });

  it('[TRN-10] gives one version and one consultation for a step that is retried, here or elsewhere', async () => {
    const folder = temporaryFolder();
    const registry = openRegistry(folder);
    const gate = await storeRun(registry.store);
    const first = await register(registry, { model, gate, actor: alice });
    const again = await Promise.all(
      [registry, openRegistry(folder), openRegistry(folder)].map((each) =>
        register(each, { model, gate, actor: alice }),
      ),
    );
    for (const each of again) expect(each).toEqual({ ...first, fresh: false });
    const state = await registry.state(model);
    expect(state.versions).toHaveLength(1);
    expect([...state.consultations.values()]).toMatchObject([{ id: 'june', count: 1 }]);
  });

  it('counts each consultation of an evaluation set', async () => {
    const registry = openRegistry(temporaryFolder());
    for (const seed of [1, 2, 3]) {
      await register(registry, { model, gate: await storeRun(registry.store, { seed }), actor: alice });
    }
    const state = await registry.state(model);
    expect(state.versions.map(({ version }) => version)).toEqual([1, 2, 3]);
    expect(state.consultations.get('e'.repeat(64))?.count).toBe(3);
  });

  it('[TRN-1] refuses a run without parameters, metrics, code or data, and says which', async () => {
    const facts = { params: {}, metrics: { auc: 1 } };
    await expect(registering({ model: { facts: { metrics: { auc: 1 } } } })).rejects.toMatchObject(
      lacking(/parameters/),
    );
    await expect(registering({ model: { facts: { params: {}, metrics: {} } } })).rejects.toMatchObject(
      lacking(/metrics/),
    );
    await expect(registering({ model: { facts, inputs: {} } })).rejects.toMatchObject(lacking(/data set/));
    const producer = { commit: null, run: '1', attempt: 1, trigger: 'push', modelgate: '0.1.0' };
    await expect(registering({ model: { facts, inputs: {}, producer } })).rejects.toMatchObject(
      lacking(/commit.*data set/),
    );
    // without a commit, the digest of the code is enough
    expect(await registering({ model: { producer } })).toMatchObject({ version: 1 });
  });

  it('[FEA-4] refuses a bare weight file', async () => {
    await expect(registering({ without: ['signature.json', 'features.sql'] })).rejects.toMatchObject(
      lacking(/signature.json; features.sql/),
    );
    await expect(registering({ without: ['model.onnx'] })).rejects.toMatchObject(lacking(/model.onnx/));
  });

  it('refuses a gate that names no verdict or no evaluation set, and digests of other things', async () => {
    await expect(registering({ gate: { facts: { verdict: 'passed' } } })).rejects.toMatchObject(
      lacking(/verdict/),
    );
    await expect(registering({ evaluation: { facts: {} } })).rejects.toMatchObject(lacking(/evaluation set/));
    const registry = openRegistry(temporaryFolder());
    const gate = await storeRun(registry.store);
    const { evaluation = '' } = (await registry.store.readManifest(gate)).inputs;
    const wrong = register(registry, { model, gate: evaluation, actor: alice });
    await expect(wrong).rejects.toMatchObject({ code: 'usage' });
    expect((await registry.state(model)).seq).toBe(0);
  });
});
