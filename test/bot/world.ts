import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { parse, stringify } from 'yaml';
import { z } from 'zod';
import { opIdOfRun } from '../../src/chatops/operations.ts';
import { type ReplyRecord, readRecord } from '../../src/chatops/reply-record.ts';
import { silentLogger } from '../../src/logger.ts';
import { register } from '../../src/registry/register.ts';
import { Registry } from '../../src/registry/registry.ts';
import { promote, rollback } from '../../src/rollout/move.ts';
import { FileSystemStorage } from '../../src/store/file-system.ts';
import { Store } from '../../src/store/store.ts';
import type { Webhook } from '../github/fake/deliveries.ts';
import type { FakeRepository } from '../github/fake/repository.ts';
import type { FakeRun } from '../github/fake/runs.ts';
import { FakeGitHubServer } from '../github/fake/server.ts';
import { producer, storeRun } from '../registry/runs.ts';

const root = path.join(import.meta.dirname, '../..');
export const secret = 'b1f5e2c4a79d4be08f6ec6d3a4c1970b';
export const environments = ['staging', 'production'];

/** What the app may do and hears of, as its manifest says. */
export const manifest = z
  .object({
    default_events: z.array(z.string()),
    default_permissions: z.record(z.string(), z.enum(['read', 'write'])),
  })
  .parse(parse(readFileSync(path.join(root, 'bot/app.yml'), 'utf8')));

/** modelgate.yaml of a model, as text. */
export function modelConfig(model: string, change: object = {}): string {
  return stringify({
    schema: 'modelgate/1',
    model,
    data: { sources: { rows: { file: 'rows.csv' } } },
    features: { sql: 'features.sql', key: 'id', label: 'late' },
    split: { by: 'hash' },
    train: { script: 'train.py', requirements: 'requirements.lock', task: 'classification' },
    evaluation: { id: 'june', file: 'evaluation.parquet', sha256: 'e'.repeat(64) },
    gate: { metrics: [{ metric: 'auc', margin: 0.01 }] },
    ...change,
  });
}

const moveInputs = (to: string) =>
  Object.fromEntries(
    ['model', to, 'environment', 'expected_generation', 'op_id', 'reason', 'requested_by', 'digest']
      .concat('override', 'canary', 'sha', 'version', 'confirm', 'requested_in')
      .map((name) => [name, { required: false }]),
  );
const workflow = (name: string, inputs: object) =>
  stringify({
    'run-name': `${name} \${{ inputs.op_id }}`,
    on: { workflow_dispatch: { inputs } },
  });

/** What a model repository of tests holds beside its configuration. */
export const workflows = {
  '.github/workflows/promote.yml': workflow('promote', moveInputs('version')),
  '.github/workflows/rollback.yml': workflow('rollback', moveInputs('to')),
};

export interface BotWorldOptions {
  environment?: Record<string, string>;
  /** How many bots; more than one share the inbox. */
  processes?: number;
  /** The URL of a PostgreSQL database; without it the inbox is a file. */
  inbox?: string;
}

/** A fake GitHub, a store in a folder, and the bot as a process of its own, which may be killed and started again. */
export class BotWorld implements AsyncDisposable {
  readonly github: FakeGitHubServer;
  readonly folder = mkdtempSync(path.join(os.tmpdir(), 'modelgate-bot-'));
  /** Everything that the bot wrote, of all its lives. */
  readonly log: string[] = [];
  /** The command line that starts it: this clone's runs the sources. */
  command = path.join(root, 'bin/modelgate.js');
  private readonly environment: Record<string, string>;
  private readonly inbox: string | null;
  private readonly ports: readonly number[];
  private readonly registries = new Map<string, Registry>();
  /** By the number of the process; null: it does not run. */
  private readonly children: (ChildProcess | null)[];
  /** Those that listen. */
  private readonly ready = new Set<number>();
  private turn = 0;

  private constructor(
    github: FakeGitHubServer,
    ports: readonly number[],
    { environment = {}, inbox }: BotWorldOptions,
  ) {
    this.github = github;
    this.ports = ports;
    this.environment = environment;
    this.inbox = inbox ?? null;
    this.children = ports.map(() => null);
    github.deliveries.to = (webhook) => this.balance(webhook);
    github.onDispatch = (run) => this.moveDirectly(run);
  }

  static async create(options: BotWorldOptions = {}): Promise<BotWorld> {
    const ports: number[] = [];
    while (ports.length < (options.processes ?? 1)) ports.push(await freePort());
    const github = await FakeGitHubServer.start({
      webhookSecret: secret,
      permissions: manifest.default_permissions,
      events: manifest.default_events,
    });
    return new BotWorld(github, ports, options);
  }

  get url(): string {
    return this.urlOf(0);
  }

  urlOf(which: number): string {
    return `http://127.0.0.1:${this.ports[which]}`;
  }

  /** What stands before several bots: one after another of those that listen; one that is killed just then takes nothing. */
  private async balance({ headers, body }: Webhook): Promise<number> {
    const running = [...this.ready];
    this.turn += 1;
    const url = `${this.urlOf(running[this.turn % running.length] ?? 0)}/api/github/webhooks`;
    const signal = AbortSignal.timeout(this.github.deliveries.timeoutMilliseconds);
    const answer = await fetch(url, { method: 'POST', headers, body, signal });
    await answer.arrayBuffer();
    return answer.status;
  }

  /** Resolves when it listens. */
  async start(which = 0): Promise<void> {
    const child = spawn(
      process.execPath,
      [this.command, ...['bot', '--json', '--port', String(this.ports[which])]],
      {
        cwd: this.folder,
        env: {
          PATH: process.env.PATH,
          TMPDIR: this.folder,
          APP_ID: String(this.github.app.id),
          PRIVATE_KEY: this.github.app.privateKey,
          WEBHOOK_SECRET: secret,
          MODELGATE_BOT_INBOX: this.inbox ?? path.join(this.folder, 'bot.sqlite'),
          GHE_HOST: new URL(this.github.url).host,
          GHE_PROTOCOL: 'http',
          MODELGATE_STORE: path.join(this.folder, 'stores/{owner}/{repo}'),
          LOG_LEVEL: 'debug',
          ...this.environment,
        },
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    );
    this.children[which] = child;
    const ended = new Promise<never>((_, reject) => {
      child.once('exit', (code) =>
        reject(new Error(`the bot ended with ${code}:\n${this.log.slice(-20).join('\n')}`)),
      );
    });
    const listening = new Promise<void>((resolve) => {
      for (const stream of [child.stdout, child.stderr]) {
        createInterface({ input: stream! }).on('line', (line) => {
          this.log.push(line);
          if (line.includes('Listening at')) resolve();
        });
      }
    });
    ended.catch(() => {});
    await Promise.race([listening, ended]);
    this.ready.add(which);
  }

  /** Ends the bot at once, wherever it is; or with SIGTERM by its own will. Gives its exit code. */
  async end(signal: 'SIGKILL' | 'SIGTERM', which = 0): Promise<number | null> {
    const child = this.children[which] ?? null;
    this.children[which] = null;
    this.ready.delete(which);
    if (child === null || child.exitCode !== null) return child?.exitCode ?? null;
    const closed = new Promise<number | null>((resolve) => child.once('close', resolve));
    child.kill(signal);
    return closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.ports.map((_, which) => this.end('SIGKILL', which)));
    await this.github[Symbol.asyncDispose]();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Of the store that the bot works on for a repository. */
  registry({ fullName }: FakeRepository): Registry {
    const known = this.registries.get(fullName);
    if (known !== undefined) return known;
    const storage = new FileSystemStorage(path.join(this.folder, 'stores', fullName.toLowerCase()));
    const registry = new Registry({
      store: new Store(storage),
      now: () => new Date(),
      logger: silentLogger,
    });
    this.registries.set(fullName, registry);
    return registry;
  }

  /** Registers a version that was trained at a commit and passed. */
  async candidate(repository: FakeRepository, { model, commit }: { model: string; commit: string }) {
    const registry = this.registry(repository);
    const state = await registry.state(model);
    const made = { ...producer, commit };
    const champion = state.environments.get('production')?.manifest ?? null;
    const gate = await storeRun(registry.store, {
      seed: state.versions.length + 1,
      model: { producer: made },
      gate: {
        producer: made,
        facts: {
          ...{ verdict: 'pass', on_inconclusive: 'block', metrics: { auc: 0.7 }, champion },
          reasons: ['AUC is as good.'],
        },
      },
    });
    return register(registry, { model, gate, actor: { name: 'train', via: 'action' } });
  }

  /** Moves a version without any command. */
  async place(repository: FakeRepository, { model, version }: { model: string; version: number }) {
    for (const environment of environments) {
      await promote(this.registry(repository), {
        ...{ model, environments, environment, version, op_id: null, reason: null, dry_run: false },
        ...{ override: null, expected_generation: null, actor: { name: 'ann', via: 'cli' } },
      });
    }
  }

  /** The records of all replies to a comment: one, if all is well. */
  replies(repository: FakeRepository, comment: number): ReplyRecord[] {
    return [...repository.issues.values()]
      .flatMap(({ comments }) => comments)
      .filter((one) => one.user === this.github.app.bot)
      .map(({ body }) => readRecord(body))
      .filter((record) => record !== null)
      .filter((record) => record.comment === comment);
  }

  async metrics(which = 0): Promise<string> {
    return (await fetch(`${this.urlOf(which)}/metrics`)).text();
  }

  /** What promote.yml and rollback.yml come to, without their jobs: a thousand commands of chaos need it quick. */
  private async moveDirectly(run: FakeRun): Promise<void> {
    run.start();
    const allowed = (await run.enter(run.inputs.environment ?? '')) === 'approved';
    run.complete(allowed && (await this.move(run)) ? 'success' : 'failure');
  }

  private async move({ workflow: { path: file }, inputs, title, repository }: FakeRun): Promise<boolean> {
    const { environment = '', requested_by: name = '', model = '' } = inputs;
    const registry = this.registry(repository);
    const common = {
      ...{ environment, environments, reason: inputs.reason ?? null, dry_run: false },
      op_id: opIdOfRun({ title }),
      expected_generation: Number(inputs.expected_generation),
      actor: { name, via: 'action' } as const,
    };
    const [bare = '', version] = model.split('@');
    try {
      if (file.endsWith('rollback.yml'))
        await rollback(registry, { ...common, model: bare, to: Number(inputs.to) });
      else await promote(registry, { ...common, model: bare, version: Number(version), override: null });
      return true;
    } catch {
      return false;
    }
  }
}

/** Asks until it holds; throws with what it was after the time, in milliseconds. */
export async function eventually<T>(
  ask: () => T | Promise<T>,
  holds: (value: T) => boolean,
  { within = 60_000, what = 'it' }: { within?: number; what?: string } = {},
): Promise<T> {
  const until = Date.now() + within;
  for (;;) {
    const value = await ask();
    if (holds(value)) return value;
    if (Date.now() > until) throw new Error(`${what} did not hold: ${JSON.stringify(value)?.slice(0, 2000)}`);
    await sleep(50);
  }
}

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
