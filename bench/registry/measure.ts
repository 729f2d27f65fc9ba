import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { silentLogger } from '../../src/logger.ts';
import { Registry } from '../../src/registry/registry.ts';
import { FileSystemStorage } from '../../src/store/file-system.ts';
import { Store } from '../../src/store/store.ts';

/** A folder store that counts what is read of it. */
export class CountedStorage extends FileSystemStorage {
  reads = 0;
  /** Sizes asked for: what is there, and what is not. */
  probes = 0;
  bytes = 0;

  override async read(key: string, limit?: number): Promise<Buffer | null> {
    this.reads += 1;
    const bytes = await super.read(key, limit);
    this.bytes += bytes?.length ?? 0;
    return bytes;
  }

  override size(key: string): Promise<number | null> {
    this.probes += 1;
    return super.size(key);
  }
}

export interface Measured {
  wall_ms: number;
  cpu_ms: number;
  reads: number;
  probes: number;
  read_kb: number;
  /** The process at its largest. */
  peak_mb: number;
  [figure: string]: unknown;
}

export function openRegistry(folder: string): { registry: Registry; storage: CountedStorage } {
  const storage = new CountedStorage(folder);
  const registry = new Registry({ store: new Store(storage), now: () => new Date(), logger: silentLogger });
  return { registry, storage };
}

/** Runs the work once and prints its figures as one JSON line, for the parent process. */
export async function measure(storage: CountedStorage, work: () => Promise<object>): Promise<void> {
  const cpu = process.cpuUsage();
  const began = performance.now();
  const more = await work();
  const wall = performance.now() - began;
  const { user, system } = process.cpuUsage(cpu);
  const round = (value: number) => Math.round(value * 10) / 10;
  const figures: Measured = {
    wall_ms: round(wall),
    cpu_ms: round((user + system) / 1000),
    reads: storage.reads,
    probes: storage.probes,
    read_kb: round(storage.bytes / 1000),
    peak_mb: round(peakBytes() / 1e6),
    ...more,
  };
  process.stdout.write(`${JSON.stringify(figures)}\n`);
}

/** Linux tells the peak of this program alone; getrusage counts what the parent had when it forked. */
export function peakBytes(): number {
  try {
    const [, kilobytes] = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
    if (kilobytes !== undefined) return Number(kilobytes) * 1024;
  } catch {
    // not Linux
  }
  return process.memoryUsage.rss();
}

/** The figures of a fresh process: `node FILE ...args`. */
export function inProcess(file: string, args: readonly string[]): Measured {
  const { stdout, stderr, status } = spawnSync(process.execPath, [file, ...args], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${file} ended with ${status}: ${stderr}`);
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Measured;
}

/** Rows under a header, each column as wide as its widest cell. */
export function printTable(rows: readonly Record<string, unknown>[]): void {
  const columns = Object.keys(rows[0] ?? {});
  const cells = [columns, ...rows.map((row) => columns.map((column) => String(row[column] ?? '')))];
  const widths = columns.map((_, index) => Math.max(...cells.map((row) => row[index]!.length)));
  for (const row of cells) console.log(row.map((cell, index) => cell.padStart(widths[index]!)).join('  '));
}
