import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { GateRecord } from '../../src/gate/record.ts';
import { runStage } from '../../src/stages/define.ts';
import { gate } from '../../src/stages/gate.ts';
import { binaryRows, openContext, policyOf, storeEvaluation } from './world.ts';

const rows = 2000;

async function judged(personal: string[]) {
  const context = openContext();
  const columns = binaryRows({ rows, seed: 3, harm: 0.5 });
  const carrier = Array.from({ length: rows }, (_, i) => ['carrier-UA', 'carrier-AA'][i % 2]);
  const passenger = Array.from({ length: rows }, (_, i) => `passenger-${i % 7}`);
  const evaluation = await storeEvaluation(context, { columns: { ...columns, carrier, passenger } });
  const policy = policyOf({
    metrics: [{ metric: 'auc', margin: 0.01 }],
    slices: { by: ['carrier', 'passenger'], min_rows: 50 },
  });
  const release = { model: 'flights-late', environment: 'staging' };
  const { outputs } = await runStage(gate, { evaluation, policy, personal, release }, context);
  const read = async (name: string) =>
    readFile(await context.store.manifestFile(outputs.gate ?? '', name), 'utf8');
  const record = GateRecord.parse(JSON.parse(await read('gate.json')));
  return { record, columns, texts: await Promise.all(['gate.json', 'report.md', 'report.html'].map(read)) };
}

it('gate.json names the rows that flipped, with their own key, label and predictions', async () => {
  const { record, columns } = await judged([]);
  const { behaviour } = record;
  expect(behaviour?.lost).toBe(record.checks.find(({ kind }) => kind === 'metric')?.flips?.b);
  expect(behaviour?.gained).toBe(record.checks.find(({ kind }) => kind === 'metric')?.flips?.c);
  expect(behaviour?.slices.map(({ column }) => column).sort()).toEqual([
    ...Array(2).fill('carrier'),
    ...Array(7).fill('passenger'),
  ]);
  expect(behaviour?.examples).toHaveLength(20);
  for (const { key, change, label, champion, candidate, columns: kept } of behaviour?.examples ?? []) {
    const row = Number(key?.slice(1));
    expect([label, champion, candidate]).toEqual([
      columns.label[row],
      columns.champion[row],
      columns.candidate[row],
    ]);
    expect(kept).toEqual({
      carrier: ['carrier-UA', 'carrier-AA'][row % 2],
      passenger: `passenger-${row % 7}`,
    });
    const right = (value: number | null) => (value ?? 0) >= 0.5 === (label === 1);
    expect([right(champion), right(candidate)]).toEqual(change === 'lost' ? [true, false] : [false, true]);
  }
  expect(record.changes).toEqual([]);
});

it('shows no value of a column that a contract marks as personal', async () => {
  const open = await judged([]);
  for (const text of open.texts) expect(text).toMatch(/passenger-\d/);
  const { record, texts } = await judged(['Passenger', 'key']);
  expect(record.behaviour?.withheld).toEqual(['key', 'passenger']);
  expect(record.behaviour?.examples).toHaveLength(20);
  for (const text of texts) {
    expect(text).not.toMatch(/passenger-\d|\be000\d{4}\b/);
    expect(text).toContain('carrier-UA');
  }
  expect(texts[1]).toContain('withheld');
  expect(texts[1]).toContain('passenger = withheld 1');
  const unlabelled = await judged(['label']);
  expect(unlabelled.record.behaviour).toMatchObject({ examples: [], withheld: ['label'] });
});
