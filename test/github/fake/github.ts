import { generateKeyPairSync } from 'node:crypto';
import { Deliveries, type DeliverTo } from './deliveries.ts';
import { Faults } from './faults.ts';
import { complete, problems, webhookSchema } from './openapi/index.ts';
import * as render from './render.ts';
import { FakeRepository } from './repository.ts';
import type { FakeRun } from './runs.ts';
import type { Account, Actor, App, Installation } from './state.ts';

export interface FakeOptions {
  slug?: string;
  permissions?: Record<string, 'read' | 'write'>;
  events?: string[];
  webhookSecret?: string;
  /** Where webhooks go; without it they are only listed. */
  deliverTo?: DeliverTo;
  /** Answers as GitHub Enterprise Server 3.20: `return_run_details` is an unknown field. */
  enterprise?: boolean;
  now?: () => Date;
}

/** One who acts: an account, with the app through which it does so. */
export interface Author {
  user: Account;
  app: App | null;
}

/** The least that the bot needs: what its manifest asks for. */
const defaultPermissions = {
  metadata: 'read',
  issues: 'write',
  pull_requests: 'write',
  checks: 'write',
  statuses: 'read',
  deployments: 'write',
  actions: 'write',
  contents: 'write',
  members: 'read',
} as const;

const defaultEvents = [
  'check_run',
  'deployment',
  'deployment_protection_rule',
  'deployment_status',
  'issue_comment',
  'issues',
  'merge_group',
  'pull_request',
  'pull_request_review',
  'push',
  'workflow_run',
];

/** Everything that GitHub knows, without HTTP: server.ts puts it on a port. */
export class FakeGitHub {
  readonly accounts = new Map<string, Account>();
  readonly repositories = new Map<string, FakeRepository>();
  /** `org/slug` → login → state. */
  readonly teams = new Map<string, Map<string, 'active' | 'pending'>>();
  readonly installations: Installation[] = [];
  readonly tokens = new Map<string, Actor>();
  readonly apps = new Map<string, App>();
  /** Given to the browser of one who made an app from a manifest. */
  readonly manifestCodes = new Set<string>();
  readonly deliveries: Deliveries;
  readonly faults = new Faults();
  /** Requests, answers and webhooks that GitHub's description does not allow. A test expects none. */
  readonly violations: string[] = [];
  /** Carries out what was dispatched; without it a run stays queued until the test moves it. */
  onDispatch: ((run: FakeRun) => void | Promise<void>) | null = null;
  readonly enterprise: boolean;
  readonly app: App;
  /** The one of workflow runs' own tokens. */
  readonly actionsApp: App;
  /** Of the API, without a slash at its end. */
  url = 'http://127.0.0.1';
  private readonly clock: () => Date;
  private lastId = 1000;
  private lastToken = 0;
  private readonly working = new Set<Promise<void>>();

  constructor(options: FakeOptions = {}) {
    this.clock = options.now ?? (() => new Date());
    this.enterprise = options.enterprise ?? false;
    this.actionsApp = this.addApp('github-actions', {}, []);
    this.app = this.addApp(
      options.slug ?? 'modelgate',
      options.permissions ?? { ...defaultPermissions },
      options.events ?? defaultEvents,
    );
    this.deliveries = new Deliveries({
      app: this.app,
      secret: options.webhookSecret ?? 'a secret that only this test knows',
      to: options.deliverTo ?? null,
      id: () => this.id(),
      time: () => this.time(),
    });
  }

  id(): number {
    this.lastId += 1;
    return this.lastId;
  }

  now(): Date {
    return this.clock();
  }

  /** In GitHub's form, which knows whole seconds. */
  time(): string {
    return `${this.clock().toISOString().slice(0, 19)}Z`;
  }

  /** Of a person; made when new. */
  person(login: string, type: Account['type'] = 'User'): Account {
    let account = this.accounts.get(login.toLowerCase());
    if (account === undefined) {
      account = { id: this.id(), login, type };
      this.accounts.set(login.toLowerCase(), account);
    }
    return account;
  }

  author(by: string | Author): Author {
    return typeof by === 'string' ? { user: this.person(by), app: null } : by;
  }

  /** Our app, as itself. */
  get bot(): Author {
    return { user: this.app.bot, app: this.app };
  }

  addApp(slug: string, permissions: App['permissions'], events: string[]): App {
    const { publicKey, privateKey } = keys();
    const bot = this.person(`${slug}[bot]`, 'Bot');
    const app = { id: this.id(), slug, bot, permissions, events, publicKey, privateKey };
    this.apps.set(slug, app);
    return app;
  }

  /** Makes a repository of an organisation with a first commit; our app is installed there. */
  repository(
    fullName: string,
    { isPrivate = false, files = {} }: { isPrivate?: boolean; files?: Record<string, string | Buffer> } = {},
  ): FakeRepository {
    const [owner = '', name = ''] = fullName.split('/');
    const account = this.person(owner, 'Organization');
    const repository = new FakeRepository(this, { owner: account, name, isPrivate, files });
    this.repositories.set(fullName.toLowerCase(), repository);
    this.install(this.app, account);
    return repository;
  }

  install(app: App, account: Account): Installation {
    const there = this.installations.find((one) => one.app === app && one.account === account);
    if (there !== undefined) return there;
    const made = { id: this.id(), app, account, createdAt: this.time() };
    this.installations.push(made);
    return made;
  }

  team(name: string, members: Record<string, 'active' | 'pending'>): void {
    const entries = Object.entries(members);
    this.teams.set(
      name.toLowerCase(),
      new Map(entries.map(([login, state]) => [this.person(login).login.toLowerCase(), state])),
    );
  }

  /** A token of our app where it is installed; `permissions` narrows it. */
  installationToken(owner: string, permissions?: Actor['permissions']): string {
    const installation = this.installations.find(
      (one) => one.app === this.app && one.account.login.toLowerCase() === owner.toLowerCase(),
    );
    if (installation === undefined) throw new Error(`the app is not installed at ${owner}`);
    return this.addToken({
      user: this.app.bot,
      app: this.app,
      permissions: permissions ?? this.app.permissions,
      repositories: null,
      installation,
    });
  }

  /** The GITHUB_TOKEN of a workflow's job. */
  actionsToken(repository: FakeRepository, permissions: Record<string, 'read' | 'write'>): string {
    return this.addToken({
      user: this.actionsApp.bot,
      app: this.actionsApp,
      permissions: { metadata: 'read', ...permissions },
      repositories: new Set([repository.fullName.toLowerCase()]),
      installation: null,
    });
  }

  personalToken(login: string): string {
    return this.addToken({
      user: this.person(login),
      app: null,
      permissions: null,
      repositories: null,
      installation: null,
    });
  }

  addToken(actor: Omit<Actor, 'asApp' | 'expiresAt'>): string {
    this.lastToken += 1;
    const token = `${actor.app === null ? 'ghp' : 'ghs'}_${String(this.lastToken).padStart(36, '0')}`;
    this.tokens.set(token, { ...actor, asApp: false, expiresAt: this.now().getTime() + 3_600_000 });
    return token;
  }

  /** Sends an event to our app, where it is installed and listens. */
  emit(
    repository: FakeRepository,
    name: string,
    action: string | null,
    sender: Account,
    payload: Record<string, unknown>,
  ): void {
    const installation = this.installations.find(
      (one) => one.app === this.app && one.account === repository.owner,
    );
    if (installation === undefined || !this.app.events.includes(name)) return;
    const body = this.checkedPayload(name, action, {
      ...(action === null ? {} : { action }),
      ...payload,
      repository: render.repository(repository),
      organization: { login: repository.owner.login, id: repository.owner.id },
      installation: { id: installation.id, node_id: `I_${installation.id}` },
      sender: render.user(sender),
    });
    this.deliveries.add({
      event: name,
      action,
      payload: body,
      installation: installation.id,
      repository: repository.id,
    });
  }

  private checkedPayload(event: string, action: string | null, payload: Record<string, unknown>): unknown {
    const schema = webhookSchema(event, action);
    if (schema === null) {
      this.violations.push(`webhook ${event} ${action}: not in the description`);
      return payload;
    }
    const full = complete(schema, payload);
    const wrong = problems(schema, full);
    if (wrong.length > 0) this.violations.push(`webhook ${event} ${action}: ${wrong.join('; ')}`);
    return full;
  }

  /** Work that GitHub does after it has answered. */
  later(work: () => void | Promise<void>): void {
    const promise = new Promise<void>((resolve) => setImmediate(resolve))
      .then(work)
      .catch((error: unknown) => {
        this.violations.push(`later: ${error instanceof Error ? error.stack : String(error)}`);
      })
      .finally(() => this.working.delete(promise));
    this.working.add(promise);
  }

  /** Until nothing is carried out and nothing is being delivered. */
  async idle(): Promise<void> {
    while (this.working.size > 0 || this.deliveries.busy) {
      await Promise.all([...this.working, this.deliveries.settled()]);
    }
  }
}

let pair: { publicKey: string; privateKey: string } | null = null;
/** One pair a process: making one takes a while, and no test is about it. */
function keys(): { publicKey: string; privateKey: string } {
  pair ??= generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  return pair;
}
