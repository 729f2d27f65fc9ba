import type { Readable } from 'node:stream';
import type { Content, Storage, StoredEntry } from '../../../src/store/storage.ts';
import { MemoryStorage } from '../../store/memory-storage.ts';

/** Numbers in [0, 1) that a seed decides (mulberry32). */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

interface Turn {
  process: number;
  /** The process waits for nothing that takes a store's time: a person, a training. */
  idle: boolean;
  run(): Promise<void>;
}

/**
 * Runs processes of one program over one storage, one storage call at a time: which goes next, when time passes and
 * who is killed is drawn from a seed. A storage call takes less than `callTime` milliseconds; anything between two
 * calls may take as long as it likes only where a process says that it is idle.
 */
export class Scheduler {
  time: number;
  steps = 0;
  private readonly random: () => number;
  private readonly callTime: number;
  private readonly alive = new Set<number>();
  private readonly turns: Turn[] = [];
  private next = 0;

  constructor(options: { random: () => number; start: number; callTime: number }) {
    this.random = options.random;
    this.time = options.start;
    this.callTime = options.callTime;
  }

  get running(): number {
    return this.alive.size;
  }

  /** Starts a process; `work` must throw nothing. */
  start(work: (process: number) => Promise<void>): void {
    this.next += 1;
    const process = this.next;
    this.alive.add(process);
    void work(process).finally(() => this.alive.delete(process));
  }

  /** Waits for the scheduler, then does `call`; never ends for a process that was killed. */
  turn<T>(process: number, call: () => Promise<T>, idle = false): Promise<T> {
    return new Promise((resolve, reject) => {
      this.turns.push({ process, idle, run: () => call().then(resolve, reject) });
    });
  }

  /** One storage call of one process, or time passing, or a death. True when all that live are idle. */
  async step(): Promise<boolean> {
    await this.settle();
    this.steps += 1;
    const drawn = this.random();
    const busy = this.turns.filter(({ idle }) => !idle);
    if (drawn < 0.004) await this.kill();
    else if (drawn < 0.03 || busy.length === 0) await this.pass(busy);
    if (busy.length === 0 && this.random() < 0.8) return true;
    const turn = this.pick(busy.length > 0 && this.random() < 0.99 ? busy : this.turns);
    if (turn !== undefined) await this.perform(turn);
    return false;
  }

  /** Lets every call that is under way end, then time go on: far where all are idle. */
  private async pass(busy: Turn[]): Promise<void> {
    for (const turn of busy) await this.perform(turn);
    await this.settle();
    const far = this.turns.every(({ idle }) => idle);
    this.time += Math.floor(this.random() * this.callTime * (far ? 200 : 1));
  }

  private async kill(): Promise<void> {
    const turn = this.pick(this.turns);
    if (turn === undefined) return;
    // the last call may have had its effect or not
    if (this.random() < 0.5) await this.perform(turn);
    this.alive.delete(turn.process);
    for (let i = this.turns.length - 1; i >= 0; i -= 1) {
      if (this.turns[i]?.process === turn.process) this.turns.splice(i, 1);
    }
  }

  private async perform(turn: Turn): Promise<void> {
    const index = this.turns.indexOf(turn);
    if (index === -1) return;
    this.turns.splice(index, 1);
    await turn.run();
  }

  private pick(turns: readonly Turn[]): Turn | undefined {
    return turns[Math.floor(this.random() * turns.length)];
  }

  /** Until every process that lives has a call to make. */
  private async settle(): Promise<void> {
    for (;;) {
      await new Promise(setImmediate);
      const waiting = new Set(this.turns.map(({ process }) => process));
      if ([...this.alive].every((process) => waiting.has(process))) return;
    }
  }
}

/** The memory of all processes, with times of writing, and whoever wants to see what is removed and created. */
export interface Shared {
  memory: MemoryStorage;
  modified: Map<string, number>;
  changed(what: 'created' | 'removed', key: string): Promise<void>;
}

export async function openShared(changed: Shared['changed']): Promise<Shared> {
  return { memory: await MemoryStorage.open(), modified: new Map(), changed };
}

/** The storage as one process sees it: each call waits for its turn. */
export class ScheduledStorage implements Storage {
  readonly url = 'memory';
  private readonly scheduler: Scheduler;
  private readonly process: number;
  private readonly shared: Shared;

  constructor(scheduler: Scheduler, process: number, shared: Shared) {
    this.scheduler = scheduler;
    this.process = process;
    this.shared = shared;
  }

  async prepare(): Promise<void> {}

  create(key: string, content: Content): Promise<'created' | 'exists'> {
    return this.turn(async () => {
      const end = await this.shared.memory.create(key, content);
      if (end === 'created') this.shared.modified.set(key, this.scheduler.time);
      if (end === 'created') await this.shared.changed('created', key);
      return end;
    });
  }

  async persist(): Promise<void> {}

  read(key: string, limit?: number): Promise<Buffer | null> {
    return this.turn(() => this.shared.memory.read(key, limit));
  }

  stream(key: string): Promise<Readable | null> {
    return this.turn(() => this.shared.memory.stream(key));
  }

  size(key: string): Promise<number | null> {
    return this.turn(() => this.shared.memory.size(key));
  }

  localFile(key: string): Promise<string | null> {
    return this.turn(() => this.shared.memory.localFile(key));
  }

  replace(key: string, content: Uint8Array): Promise<void> {
    return this.turn(async () => {
      await this.shared.memory.replace(key, content);
      this.shared.modified.set(key, this.scheduler.time);
    });
  }

  async *list(prefix: string): AsyncIterable<StoredEntry> {
    const entries = await this.turn(async () => {
      const found: StoredEntry[] = [];
      for await (const entry of this.shared.memory.list(prefix)) {
        found.push({ ...entry, modified: new Date(this.shared.modified.get(entry.key) ?? 0) });
      }
      return found;
    });
    yield* entries;
  }

  async *folders(prefix: string): AsyncIterable<string> {
    yield* await this.turn(async () => {
      const names: string[] = [];
      for await (const name of this.shared.memory.folders(prefix)) names.push(name);
      return names;
    });
  }

  remove(key: string): Promise<void> {
    return this.turn(async () => {
      await this.shared.memory.remove(key);
      await this.shared.changed('removed', key);
    });
  }

  private turn<T>(call: () => Promise<T>): Promise<T> {
    return this.scheduler.turn(this.process, call);
  }
}
