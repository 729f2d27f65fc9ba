/**
 * One racing process: `node client.ts SPEC`, its specification as JSON. Says `ready`, waits for a line on standard
 * input, then tells each operation as a line of JSON, written before the next one begins.
 */
import { UserError } from '../../../src/errors.ts';
import { silentLogger } from '../../../src/logger.ts';
import { Registry } from '../../../src/registry/registry.ts';
import { environmentOf } from '../../../src/registry/state.ts';
import { promote } from '../../../src/rollout/move.ts';
import { seededRandom } from '../../../src/stats/random.ts';
import { Store } from '../../../src/store/store.ts';
import type { Answer, Operation, Request } from './history.ts';
import { openPlace } from './place.ts';
import { atTheSignal, ClientSpec, tell } from './process.ts';

/** An error that leaves the effect open is followed by the same operation again, this often in all. */
const tries = 5;

const spec = ClientSpec.parse(JSON.parse(process.argv[2] ?? ''));
const storage = await openPlace(spec.place);
const random = seededRandom(spec.seed);
const open = () => new Registry({ store: new Store(storage), now: () => new Date(), logger: silentLogger });
const kept = open();
let generation = 0;

await atTheSignal();
for (let number = 0; number < spec.operations; number += 1) {
  const request: Request =
    random.below(4) === 0
      ? { type: 'status' }
      : { type: 'promote', expected: generation, version: spec.client + 1 };
  // as a bot that knows the log, or as a command that opens it cold
  const registry = random.below(2) === 0 ? kept : open();
  const op_id = `race-${spec.client}-${number}`;
  const called = now();
  const answer = await answerTo(registry, op_id, request);
  const operation: Operation = { client: spec.client, op_id, called, returned: now(), request, answer };
  tell(operation);
  if (answer.type !== 'unknown') generation = answer.generation;
}

/** Nanoseconds since the race was set up, of the clock that all processes of a machine share. */
function now(): number {
  return Number(process.hrtime.bigint() - BigInt(spec.origin));
}

async function answerTo(registry: Registry, op_id: string, request: Request): Promise<Answer> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return request.type === 'status'
        ? await status(registry)
        : await promotion(registry, op_id, request.expected);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      if (error.code === 'generation_moved') return { type: 'refused', generation: generationIn(error) };
      if (attempt === tries) return { type: 'unknown', code: error.code };
    }
  }
}

async function status(registry: Registry): Promise<Answer> {
  const { generation, version } = environmentOf(await registry.state(spec.model), spec.environment);
  return { type: 'read', generation, version };
}

async function promotion(registry: Registry, op_id: string, expected_generation: number): Promise<Answer> {
  const { status, generation, seq } = await promote(registry, {
    model: spec.model,
    version: spec.client + 1,
    environment: spec.environment,
    environments: [spec.environment],
    expected_generation,
    op_id,
    reason: null,
    dry_run: false,
    override: null,
    actor: { name: `process-${spec.client}`, via: 'service' },
  });
  if (status === 'nothing') return { type: 'nothing', generation };
  if (seq === null) throw new Error(`a promotion ended as ${status}`);
  return { type: 'won', generation, seq };
}

/** The generation that a refusal names: it must be true as well. */
function generationIn(error: UserError): number {
  const found = /at generation (\d+), not/.exec(error.message)?.[1];
  if (found === undefined) throw new Error(`no generation in: ${error.message}`);
  return Number(found);
}
