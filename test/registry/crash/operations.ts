/**
 * A process for the crash proofs: `node operations.ts FOLDER STEP...`, run in order. `cycle:N` stores a run, registers
 * it, promotes it to staging and production and rolls production back; `cycles:N` goes on with cycles from N until it
 * is killed; `register:N`, `promote:VERSION:ENVIRONMENT:OP_ID` and `rollback:ENVIRONMENT:OP_ID` are one move. Operation
 * ids come from the steps, so that the same steps again are the same operations. Tells a JSON line for each
 * operation that was acknowledged; ends as the command line does (1, 70).
 */
import { writeSync } from 'node:fs';
import { errorRecord, UserError } from '../../../src/errors.ts';
import { silentLogger } from '../../../src/logger.ts';
import { register } from '../../../src/registry/register.ts';
import { Registry } from '../../../src/registry/registry.ts';
import { type Moved, promote, rollback } from '../../../src/rollout/move.ts';
import { FileSystemStorage } from '../../../src/store/file-system.ts';
import { Store } from '../../../src/store/store.ts';
import { storeRun } from '../runs.ts';
import type { Told } from './told.ts';

const model = 'flights-late';
const actor = { name: 'alice', via: 'cli' } as const;

export class Operations {
  private readonly registry: Registry;
  private readonly tell: (line: Told) => void;

  constructor(folder: string, tell: (line: Told) => void) {
    this.registry = new Registry({
      store: new Store(new FileSystemStorage(folder)),
      now: () => new Date(),
      logger: silentLogger,
    });
    this.tell = tell;
  }

  async step(step: string): Promise<void> {
    const [what, first = '', second = '', third = ''] = step.split(':');
    if (what === 'cycle') await this.cycle(Number(first));
    else if (what === 'cycles') for (let number = Number(first); ; number += 1) await this.cycle(number);
    else if (what === 'register') await this.register(Number(first));
    else if (what === 'promote') await this.promote(Number(first), second, third);
    else if (what === 'rollback') await this.rollback(first, second);
    else throw new RangeError(`There is no step ${step}.`);
  }

  private async cycle(number: number): Promise<void> {
    const version = await this.register(number);
    await this.promote(version, 'staging', `cycle-${number}-staging`);
    await this.promote(version, 'production', `cycle-${number}-production`);
    // the first version has nothing before it
    if (version > 1) await this.rollback('production', `cycle-${number}-rollback`);
    this.tell({ kind: 'cycle', number });
  }

  private async register(seed: number): Promise<number> {
    const gate = await storeRun(this.registry.store, { seed });
    this.tell({ kind: 'stored', manifest: gate });
    const { version, seq, head } = await register(this.registry, { model, gate, actor });
    this.tell({ kind: 'entry', model, op_id: `register:${gate}`, seq, head });
    return version;
  }

  private async promote(version: number, environment: string, op_id: string): Promise<void> {
    const request = { ...this.common(environment, op_id), version, override: null };
    this.moved(op_id, await promote(this.registry, request));
  }

  private async rollback(environment: string, op_id: string): Promise<void> {
    this.moved(op_id, await rollback(this.registry, { ...this.common(environment, op_id), to: null }));
  }

  private common(environment: string, op_id: string) {
    return {
      model,
      environment,
      environments: ['staging', 'production'],
      op_id,
      actor,
      expected_generation: null,
      reason: null,
      dry_run: false,
    };
  }

  private moved(op_id: string, { status, seq, head }: Moved): void {
    if (seq === null || head === null) throw new Error('a move without an entry');
    this.tell({ kind: 'entry', model, op_id: status === 'nothing' ? null : op_id, seq, head });
  }
}

if (import.meta.main) {
  const [folder = '', ...steps] = process.argv.slice(2);
  // writeSync: what was told before a SIGKILL was told
  const tell = (line: Told) => writeSync(1, `${JSON.stringify(line)}\n`);
  try {
    const operations = new Operations(folder, tell);
    tell({ kind: 'ready' });
    for (const step of steps) await operations.step(step);
  } catch (error) {
    tell({
      kind: 'error',
      ...errorRecord(error),
      class: error instanceof UserError ? error.failureClass : null,
    });
    process.exitCode = error instanceof UserError ? 1 : 70;
  }
}
