import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasPython } from '../training/world.ts';
import { balancesCsv } from './data.ts';
import { Newcomer } from './newcomer.ts';

const python = await hasPython();

describe.skipIf(!python)(
  'a newcomer with numbers alone: no key, no time, a value that may be negative',
  () => {
    let newcomer: Newcomer;
    beforeAll(async () => {
      newcomer = await Newcomer.make({ 'balances.csv': balancesCsv() });
    });
    afterAll(() => newcomer.close());

    it('gets a repository whose first run passes its gate', async () => {
      const made = await newcomer.json('modelgate init --yes');
      expect(made).toMatchObject({
        exit: 0,
        chosen: { task: 'regression', label: 'balance', key: 'row_id', time: null, rows: 3000 },
      });
      expect(await newcomer.json('modelgate run')).toMatchObject({ exit: 0, verdict: 'pass', version: 1 });
    });
  },
);
