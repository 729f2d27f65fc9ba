import { z } from 'zod';
import { probeChecks, probeStorage } from '../store/probe.ts';
import { defineStage } from './define.ts';

/** Whether the store can do what the registry needs. A store that cannot is named as unsuitable, with what failed. */
export const probe = defineStage({
  name: 'probe',
  description: 'Tries on the store what the registry needs, and refuses one that cannot.',
  inputs: z.object({}),
  outputs: z.object({
    store: z.string(),
    checks: z.array(
      z.object({ check: z.enum(probeChecks), verdict: z.enum(['pass', 'fail']), observed: z.string() }),
    ),
    failed: z.array(z.enum(probeChecks)),
  }),
  cache: false,
  run: async (_input, { store: { storage } }) => {
    await storage.prepare();
    const checks = await probeStorage(storage);
    const wrong = checks.filter(({ verdict }) => verdict === 'fail');
    const told = wrong.map(({ check, observed }) => `${check.replaceAll('_', ' ')} (${observed})`);
    const outputs = { store: storage.url, checks, failed: wrong.map(({ check }) => check) };
    if (wrong.length === 0) {
      const summary = `The store does what the registry needs: ${checks.length} checks passed.`;
      return { verdict: 'pass', reason_code: 'done', summary, outputs };
    }
    return {
      verdict: 'fail',
      reason_code: 'storage_unsuitable',
      summary: `The store cannot hold a registry. Failed: ${told.join('; ')}. Choose a store with conditional writes.`,
      outputs,
    };
  },
});
