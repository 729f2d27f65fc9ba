import { describe, expect, it } from 'vitest';
import { MonitoringPolicy } from '../../src/monitoring/policy.ts';
import { runStage } from '../../src/stages/define.ts';
import { drift } from '../../src/stages/drift.ts';
import { bench, driftInputs } from './context.ts';

interface Planted {
  /** Whether current rows with a high x are mostly of level b; each column's own distribution stays. */
  together?: boolean;
  days?: number;
  time?: string | null;
  policy?: Record<string, unknown>;
}

/** 20 days of 60 rows a side; days differ in level. */
async function compare({ together = false, days = 20, time = 'event', policy = {} }: Planted) {
  const bed = await bench();
  const u = (salt: string) => `((hash(i, '${salt}') % 1000003) / 1000003.0)`;
  const side = (name: string, first: string, bound: boolean) =>
    bed.parquet(
      `${name}.parquet`,
      `SELECT DATE '${first}' + CAST(i // 60 AS INTEGER) AS event,
         ${u(`${name}x`)} + 0.2 * (hash(i // 60, '${name}') % 100) / 100.0 AS x,
         CASE WHEN ${bound ? `(0.85 * ${u(`${name}x`)} + 0.15 * ${u(`${name}y`)})` : u(`${name}y`)} < 0.5 THEN 'a' ELSE 'b' END AS level,
         CASE WHEN ${u(`${name}n`)} < 0.05 THEN NULL ELSE ${u(`${name}z`)} END AS z, i % 2 = 0 AS flag
       FROM range(${60 * days}) AS t(i)`,
    );
  const outcome = await runStage(
    drift,
    {
      ...driftInputs,
      reference: await side('reference', '2013-01-07', false),
      current: await side('current', '2013-02-04', together),
      time,
      policy: MonitoringPolicy.parse({ permutations: 299, joint: true, ...policy }),
    },
    bed.context,
  );
  const { drift: digest, joint } = outcome.outputs;
  if (digest === undefined || joint === undefined) throw new Error(outcome.summary);
  const manifest = await bed.context.store.readManifest(digest, 'drift');
  const page = await bed.context.store.readBytes(bed.context.store.file(manifest, 'report.html').sha256);
  return { outcome, joint, page: page.toString('utf8') };
}

describe('all columns together', () => {
  it('move where rows go together in another way, though no column moved', async () => {
    const { outcome, joint, page } = await compare({ together: true });
    expect(outcome.outputs.drifted).toEqual([]);
    expect(joint).toMatchObject({
      verdict: 'drift',
      rows_reference: 1200,
      rows_current: 1200,
      assignments: 300,
    });
    expect(joint?.p_block).toBeLessThanOrEqual(0.01);
    expect(outcome).toMatchObject({ verdict: 'inconclusive', reason_code: 'drift_found' });
    expect(outcome.summary).toContain('go together in another way');
    expect(page).toContain('No column moved alone');
  });

  it('stay where nothing moved, in days and in rows without times', async () => {
    for (const time of ['event', null]) {
      const { outcome, joint, page } = await compare({ time, policy: { floor: { sd: 1, points: 20 } } });
      expect(joint).toMatchObject({ verdict: 'ok', rows_current: 1200 });
      expect(outcome).toMatchObject({ verdict: 'pass', reason_code: 'no_drift' });
      expect(page).toContain('The columns go together as before');
    }
    const moved = await compare({ time: null, together: true, policy: { floor: { sd: 1, points: 20 } } });
    expect(moved.joint?.verdict).toBe('drift');
  });

  it('are not decided with too few days or rows, and not looked at unless asked for', async () => {
    expect((await compare({ days: 5 })).joint).toMatchObject({ verdict: 'not_decidable', p_block: null });
    expect((await compare({ policy: { minimum_rows: 5000 } })).joint).toMatchObject({
      verdict: 'too_few_rows',
      statistic: null,
    });
    expect((await compare({ policy: { joint: false } })).joint).toBeNull();
  });

  it('read a bounded sample that the seed decides', async () => {
    const [one, again] = [await compare({}), await compare({})];
    expect(one.joint).toEqual(again.joint);
    const { joint } = await compare({ days: 400, policy: { permutations: 99 } });
    expect(joint?.rows_reference).toBeGreaterThan(18_000);
    expect(joint?.rows_reference).toBeLessThanOrEqual(20_000);
  });
});
