import { cp, mkdtemp } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { z } from 'zod';
import type { Annotation } from '../../actions/annotations.ts';
import type { ActionHost, CommandSource } from '../../actions/execute.ts';
import { silentLogger } from '../../src/logger.ts';
import { type Command, defineCommand, type Project } from '../../src/stages/command.ts';
import type { StageContext, StageOutcome } from '../../src/stages/define.ts';
import { Store } from '../../src/store/store.ts';
import { MemoryStorage } from '../store/memory-storage.ts';

/** All that an action did to its runner. */
export interface Seen {
  log: string[];
  annotations: Annotation[];
  outputs: Record<string, string>;
  summary: string;
  /** Folders of uploaded artifacts, by name. */
  artifacts: Map<string, string>;
}

export interface FakeHost {
  host: ActionHost;
  seen: Seen;
  store: Store;
}

/** A runner in memory with a store of its own. `artifacts` is shared by the jobs of one run. */
export async function fakeHost(
  inputs: Record<string, string>,
  env: NodeJS.ProcessEnv = {},
  artifacts: Map<string, string> = new Map(),
): Promise<FakeHost> {
  const store = new Store(await MemoryStorage.open());
  const seen: Seen = { log: [], annotations: [], outputs: {}, summary: '', artifacts };
  const context = { store, logger: silentLogger } as StageContext;
  const temporary = await mkdtemp(path.join(os.tmpdir(), 'action-'));
  const host: ActionHost = {
    env: { RUNNER_TEMP: temporary, GITHUB_WORKSPACE: temporary, ...env },
    input: (name) => inputs[name] ?? '',
    openProject: async (options) => ({
      config: () => Promise.reject(new Error('no configuration in this test')),
      settings: async () => null,
      context: { ...context, logger: options.logger },
      [Symbol.asyncDispose]: async () => {},
    }),
    artifacts: {
      upload: async (name, _files, folder) => {
        const copy = await mkdtemp(path.join(temporary, 'artifact-'));
        await cp(folder, copy, { recursive: true });
        artifacts.set(name, copy);
      },
      download: async (name, folder) => cp(artifacts.get(name)!, folder, { recursive: true }),
    },
    info: (message) => seen.log.push(message),
    debug: (message) => seen.log.push(message),
    annotate: (annotation) => seen.annotations.push(annotation),
    setOutput: (name, value) => {
      seen.outputs[name] = value;
    },
    writeSummary: async (markdown) => {
      seen.summary += markdown;
    },
    stopCommands: (token) => seen.log.push(`stop ${token}`),
    resumeCommands: (token) => seen.log.push(`resume ${token}`),
    signal: new AbortController().signal,
  };
  return { host, seen, store };
}

export const outcome = (
  change: Partial<StageOutcome<Record<string, unknown>>> = {},
): StageOutcome<Record<string, unknown>> => ({
  schema: 'modelgate.outcome/1',
  stage: 'train',
  verdict: 'pass',
  reason_code: 'done',
  summary: 'Trained.',
  inputs: {},
  outputs: {},
  timings: { total: 1.5 },
  trace_id: 'trace',
  cached: false,
  ...change,
});

/** The actions of a program that has one command. */
export const only = (command: Command): CommandSource => ({
  names: [command.name],
  load: async (name) => (name === command.name ? command : undefined),
});

/** A command with one option of each kind. */
export function fakeCommand(
  run: (options: Record<string, unknown>, project: Project) => Promise<StageOutcome<Record<string, unknown>>>,
): Command {
  return defineCommand({
    name: 'train',
    description: 'Trains.',
    positional: [],
    options: z.object({
      split: z.string().optional().describe('Digest of the split.'),
      expected_generation: z.coerce.number().int().optional().describe('A number.'),
      dry_run: z.boolean().default(false).describe('A switch.'),
      to: z.enum(['staging', 'production']).default('staging').describe('A choice.'),
    }),
    examples: [],
    run,
  });
}
