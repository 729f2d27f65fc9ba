/** A promoting process for the tests: `node promoter.ts FOLDER race|loop ID ROUNDS`; a JSON line an attempt. */
import { existsSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { UserError } from '../../src/errors.ts';
import { silentLogger } from '../../src/logger.ts';
import { Registry } from '../../src/registry/registry.ts';
import { promote } from '../../src/rollout/move.ts';
import { FileSystemStorage } from '../../src/store/file-system.ts';
import { Store } from '../../src/store/store.ts';

const [folder = '', mode = '', id = '0', rounds = '1'] = process.argv.slice(2);
const registry = new Registry({
  store: new Store(new FileSystemStorage(folder)),
  now: () => new Date(),
  logger: silentLogger,
});
// writeSync: what was told before a SIGKILL is acknowledged
const tell = (line: unknown) => writeSync(1, `${JSON.stringify(line)}\n`);

async function attempt(version: number, op_id: string, expected_generation: number | null) {
  try {
    const { status, generation, seq } = await promote(registry, {
      model: 'flights-late',
      version,
      environment: 'staging',
      environments: ['staging', 'production'],
      expected_generation,
      op_id,
      reason: null,
      dry_run: false,
      override: null,
      actor: { name: `process-${id}`, via: 'service' },
    });
    tell({ op_id, status, generation, seq });
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    tell({ op_id, status: error.code, expected_generation });
  }
}

if (mode === 'race') {
  tell('ready');
  while (!existsSync(join(folder, 'go'))) await sleep(1);
  for (let round = 0; round < Number(rounds); round += 1) {
    await attempt(Number(id) + 1, `race-${id}-${round}`, round);
  }
} else {
  for (let round = 0; round < Number(rounds); round += 1) {
    await attempt(1 + (round % 2), `loop-${id}-${round}`, null);
  }
}
