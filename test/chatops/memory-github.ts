import { UserError } from '../../src/errors.ts';
import type {
  Comment,
  Deployment,
  DeploymentState,
  GitHub,
  Issue,
  PullRequest,
  Reaction,
  Review,
  Role,
  WorkflowRun,
} from '../../src/github/port.ts';

const fileOf = (path: string) => ({ path, blob: null });

type Method = Exclude<keyof GitHub, 'repository'>;
export type MemoryComment = Comment & { number: number; reactions: Reaction[] };

/** The part of GitHub that commands need, in memory. `before` is called ahead of each request. */
export class MemoryGitHub implements GitHub {
  readonly repository = { owner: 'acme', repo: 'flights' };
  base = { name: 'main', sha: 'b'.repeat(40) };
  /** Paths that a pull request changes. */
  changed: string[] = [];
  /** Earlier commits of the default branch. */
  history = new Set<string>();
  roles = new Map<string, Role>();
  pulls = new Map<number, PullRequest>();
  reviewsOf = new Map<number, Review[]>();
  checks = new Map<string, Awaited<ReturnType<GitHub['checksOf']>>>();
  threads: MemoryComment[] = [];
  issuesByNumber = new Map<number, Issue>();
  workflowRuns: (WorkflowRun & { inputs: Readonly<Record<string, string>> })[] = [];
  deploymentList: (Deployment & { states: { state: DeploymentState; description: string }[] })[] = [];
  requests: Method[] = [];
  /** What runs uploaded: one artifact each. */
  files = new Map<number, { name: string; text: string }>();
  /** Whether a dispatch tells its run, as GitHub.com does. */
  tellsRun = true;
  /** Called ahead of each request; what it throws is the answer. */
  before: (method: Method, index: number) => void | Promise<void> = () => {};
  /** Called after each effect; what it throws comes in place of the answer. */
  after: (method: Method) => void = () => {};
  private last = 1000;
  private readonly now: () => Date;

  constructor(now: () => Date) {
    this.now = now;
  }

  private async asked(method: Method): Promise<void> {
    this.requests.push(method);
    await this.before(method, this.requests.length - 1);
  }

  private nextId(): number {
    this.last += 1;
    return this.last;
  }

  /** What a person writes. */
  write(number: number, author: string, body: string): MemoryComment {
    const id = this.nextId();
    const comment = { id, number, body, author, ours: false, createdAt: this.now().toISOString(), url: '' };
    this.threads.push({ ...comment, reactions: [] });
    return this.threads.at(-1) as MemoryComment;
  }

  async defaultBranch() {
    await this.asked('defaultBranch');
    return this.base;
  }
  file = () => this.missing();
  async permission(login: string) {
    await this.asked('permission');
    const role = this.roles.get(login) ?? 'none';
    return { role, roleName: role };
  }
  async isTeamMember() {
    await this.asked('isTeamMember');
    return false;
  }
  async pullRequest(number: number) {
    await this.asked('pullRequest');
    const found = this.pulls.get(number);
    return found === undefined ? null : { ...found };
  }
  async pullRequestsOf(sha: string) {
    await this.asked('pullRequestsOf');
    return [...this.pulls.values()].filter(({ headSha }) => headSha === sha);
  }
  async reviews(number: number) {
    await this.asked('reviews');
    return [...(this.reviewsOf.get(number) ?? [])];
  }
  createPullRequest = () => this.missing();
  createBranch = () => this.missing();
  tree = () => this.missing();
  async branchHead() {
    await this.asked('branchHead');
    return this.base.sha;
  }
  async compare({ base, head }: { base: string; head: string }) {
    await this.asked('compare');
    const status = head === base ? ('identical' as const) : ('diverged' as const);
    return this.history.has(head)
      ? { status: 'behind' as const, ahead: 0, files: [] }
      : { status, ahead: status === 'identical' ? 0 : 1, files: this.changed.map(fileOf) };
  }
  workflow = () => this.missing();
  async *comments(number: number) {
    await this.asked('comments');
    yield* this.threads.filter((one) => one.number === number).map((one) => ({ ...one }));
  }
  async createComment(number: number, body: string) {
    await this.asked('createComment');
    const made = this.write(number, 'modelgate[bot]', body);
    made.ours = true;
    this.after('createComment');
    return { ...made };
  }
  async updateComment(id: number, body: string) {
    await this.asked('updateComment');
    this.require(this.threads.find((one) => one.id === id)).body = body;
  }
  async react(id: number, reaction: Reaction) {
    await this.asked('react');
    const { reactions } = this.require(this.threads.find((one) => one.id === id));
    if (!reactions.includes(reaction)) reactions.push(reaction);
  }
  async issue(number: number) {
    await this.asked('issue');
    return this.issuesByNumber.get(number) ?? null;
  }
  async *issues() {
    await this.asked('issues');
    yield* this.issuesByNumber.values();
  }
  createIssue = () => this.missing();
  async updateIssue(number: number, change: { body?: string; state?: 'open' | 'closed'; title?: string }) {
    await this.asked('updateIssue');
    Object.assign(this.require(this.issuesByNumber.get(number)), change);
  }
  checkRun = () => this.missing();
  createCheckRun = () => this.missing();
  updateCheckRun = () => this.missing();
  async checksOf(sha: string) {
    await this.asked('checksOf');
    return this.checks.get(sha) ?? { state: 'unknown' as const, failed: [], pending: [] };
  }
  async dispatch(request: { workflow: string; branch: string; inputs: Readonly<Record<string, string>> }) {
    await this.asked('dispatch');
    const id = this.nextId();
    const at = this.now().toISOString();
    this.workflowRuns.unshift({
      ...{ id, attempt: 1, path: `.github/workflows/${request.workflow}`, event: 'workflow_dispatch' },
      title: titleOf(request.inputs),
      ...{ status: 'queued', conclusion: null, headSha: this.base.sha, headBranch: request.branch },
      ...{
        headRepository: 'acme/flights',
        actor: 'modelgate[bot]',
        ours: true,
        createdAt: at,
        startedAt: at,
        updatedAt: at,
      },
      ...{ url: `https://github.test/runs/${id}`, pullRequests: [], inputs: request.inputs },
    });
    this.after('dispatch');
    return this.tellsRun ? { runId: id, url: `https://github.test/runs/${id}` } : null;
  }
  async run(id: number) {
    await this.asked('run');
    return this.workflowRuns.find((one) => one.id === id) ?? null;
  }
  async *runs({ workflow }: { workflow: string }) {
    await this.asked('runs');
    yield* this.workflowRuns.filter(({ path }) => path === `.github/workflows/${workflow}`);
  }
  async cancelRun(id: number) {
    await this.asked('cancelRun');
    Object.assign(this.require(this.workflowRuns.find((one) => one.id === id)), {
      status: 'completed',
      conclusion: 'cancelled',
    });
  }
  async artifacts(run: number) {
    await this.asked('artifacts');
    const file = this.files.get(run);
    return file === undefined ? [] : [{ id: run, name: file.name, size: file.text.length, expired: false }];
  }
  async artifactFile({ artifact }: { artifact: { id: number } }) {
    await this.asked('artifactFile');
    return Buffer.from(this.files.get(artifact.id)?.text ?? '');
  }
  complete(run: number, conclusion: string): void {
    Object.assign(this.require(this.workflowRuns.find(({ id }) => id === run)), {
      status: 'completed',
      conclusion,
    });
  }
  async *deployments({ environment }: { environment: string }) {
    await this.asked('deployments');
    yield* this.deploymentList.filter((one) => one.environment === environment);
  }
  async createDeployment(request: Parameters<GitHub['createDeployment']>[0]) {
    await this.asked('createDeployment');
    const { environment, sha, payload } = request;
    const made = { id: this.nextId(), environment, sha, payload, createdAt: this.now().toISOString() };
    this.deploymentList.unshift({ ...made, states: [] });
    this.after('createDeployment');
    return made;
  }
  async setDeploymentState(id: number, { state, description }: Parameters<GitHub['setDeploymentState']>[1]) {
    await this.asked('setDeploymentState');
    this.require(this.deploymentList.find((one) => one.id === id)).states.push({ state, description });
  }
  reviewDeployment = () => this.missing();

  private require<T>(found: T | undefined): T {
    if (found !== undefined) return found;
    throw new UserError({ code: 'data_unavailable', message: 'Not found.', fix: 'Look again.' });
  }

  private missing(): Promise<never> {
    return Promise.reject(new Error('no command asks for this'));
  }
}

/** As the templates name their runs. */
function titleOf({ model, environment, to, sha, op_id }: Readonly<Record<string, string>>): string {
  if (environment === undefined)
    return sha === undefined ? `Monitor (${op_id})` : `Train ${sha} ${model ?? ''} (${op_id})`;
  return to === undefined
    ? `Promote ${model} to ${environment} (${op_id})`
    : `Roll back ${model} in ${environment} to ${to} (${op_id})`;
}
