import * as conversations from './conversations.ts';
import { invalid, notFound } from './errors.ts';
import { FakeGit, type NewCommit } from './git.ts';
import type { Author, FakeGitHub } from './github.ts';
import * as pulls from './pulls.ts';
import * as render from './render.ts';
import { FakeRun, type NewRun } from './runs.ts';
import type {
  Account,
  App,
  CheckRun,
  Comment,
  Commit,
  Deployment,
  Environment,
  Issue,
  PullRequest,
  Review,
  RoleName,
  Status,
  Workflow,
} from './state.ts';

type By = string | Author;
type Files = NewCommit['files'];

export interface NewRepository {
  owner: Account;
  name: string;
  isPrivate: boolean;
  files: Files;
  forkOf?: FakeRepository;
}

/** A repository, with what people do in it; each of these sends its webhooks. */
export class FakeRepository {
  readonly github: FakeGitHub;
  readonly id: number;
  readonly owner: Account;
  readonly name: string;
  readonly isPrivate: boolean;
  readonly defaultBranch = 'main';
  readonly git: FakeGit;
  readonly forkOf: FakeRepository | null;
  /** `heads/main` → commit. */
  readonly refs = new Map<string, string>();
  /** By login in small letters. */
  readonly roles = new Map<string, { role: RoleName; roleName: string }>();
  readonly issues = new Map<number, Issue>();
  readonly checks: CheckRun[] = [];
  readonly statuses: Status[] = [];
  readonly deployments: Deployment[] = [];
  readonly environments = new Map<string, Environment>();
  readonly workflows = new Map<string, Workflow>();
  readonly runs: FakeRun[] = [];

  constructor(github: FakeGitHub, { owner, name, isPrivate, files, forkOf }: NewRepository) {
    this.github = github;
    this.id = github.id();
    this.owner = owner;
    this.name = name;
    this.isPrivate = isPrivate;
    this.forkOf = forkOf ?? null;
    this.git = forkOf?.git ?? new FakeGit();
    if (forkOf !== undefined) {
      this.refs.set('heads/main', forkOf.head('main'));
      return;
    }
    const first = { parents: [], files, message: 'First commit', author: owner, date: github.time() };
    this.refs.set('heads/main', this.git.commit(first).sha);
  }

  get fullName(): string {
    return `${this.owner.login}/${this.name}`;
  }

  /** Commit of a branch. */
  head(branch: string): string {
    const sha = this.refs.get(`heads/${branch}`);
    if (sha === undefined) throw notFound();
    return sha;
  }

  /** Of a commit, branch or tag's name. */
  commit(name: string): Commit | null {
    const sha = this.refs.get(`heads/${name}`) ?? this.refs.get(`tags/${name}`) ?? this.refs.get(name);
    return this.git.commits.get(sha ?? name) ?? null;
  }

  /** A custom role has a name of its own, on top of a built-in one. */
  collaborator(login: string, role: RoleName, roleName: string = role): void {
    this.github.person(login);
    this.roles.set(login.toLowerCase(), { role, roleName });
  }

  push(
    branch: string,
    files: Files,
    { by = 'octocat', message = 'A change' }: { by?: By; message?: string } = {},
  ) {
    const author = this.github.author(by);
    const before = this.refs.get(`heads/${branch}`) ?? this.head(this.defaultBranch);
    const { sha } = this.git.commit({
      parents: [before],
      files,
      message,
      author: author.user,
      date: this.github.time(),
    });
    this.setRef(`heads/${branch}`, sha, author.user);
    return sha;
  }

  /** Moves or makes a ref; open pull requests follow their branch. */
  setRef(ref: string, sha: string, sender: Account): void {
    const before = this.refs.get(ref) ?? null;
    this.refs.set(ref, sha);
    const commit = this.git.commits.get(sha)!;
    this.github.emit(this, 'push', null, sender, {
      ref: `refs/${ref}`,
      before: before ?? '0'.repeat(40),
      after: sha,
      created: before === null,
      head_commit: render.simpleCommit(commit),
      commits: [],
      pusher: { name: sender.login },
    });
    if (before !== null) pulls.follow(this, ref, before, sender);
  }

  fork(login: string): FakeRepository {
    const owner = this.github.person(login);
    const { name, isPrivate } = this;
    const made = new FakeRepository(this.github, { owner, name, isPrivate, files: {}, forkOf: this });
    made.roles.set(login.toLowerCase(), { role: 'admin', roleName: 'admin' });
    this.github.repositories.set(made.fullName.toLowerCase(), made);
    return made;
  }

  openIssue(by: By, issue: { title: string; body?: string; labels?: readonly string[] }): Issue {
    return conversations.open(this, this.github.author(by), { body: '', labels: [], ...issue });
  }
  changeIssue(number: number, by: By, change: conversations.IssueChange): Issue {
    return conversations.change(this.issue(number), this.github.author(by), change);
  }
  comment(number: number, by: By, body: string): Comment {
    return conversations.comment(this.issue(number), this.github.author(by), body);
  }
  editComment(id: number, by: By, body: string): Comment {
    return conversations.edit(this.findComment(id), this.github.author(by), body);
  }
  deleteComment(id: number, by: By): void {
    conversations.remove(this.findComment(id), this.github.author(by));
  }

  /** Opens one from a branch of this repository or of a fork, which is made with `files` when it isn't there. */
  openPullRequest(by: By, request: pulls.NewPullRequest): PullRequest {
    return pulls.open(this, this.github.author(by), request);
  }
  review(number: number, by: By, state: Exclude<Review['state'], 'DISMISSED'>, body = ''): Review {
    return pulls.review(this.pullRequest(number), this.github.author(by), { state, body });
  }
  dismiss(number: number, review: number, by: By): void {
    pulls.dismiss(this.pullRequest(number), review, this.github.author(by));
  }
  merge(number: number, by: By): string {
    return pulls.merge(this.pullRequest(number), this.github.author(by));
  }
  /** The merge queue asks for the checks of a pull request on top of what is before it. */
  enqueue(number: number, by: By): string {
    return pulls.enqueue(this.pullRequest(number), this.github.author(by));
  }

  issue(number: number): Issue {
    const found = this.issues.get(number);
    if (found === undefined) throw notFound();
    return found;
  }
  pullRequest(number: number): PullRequest {
    const found = this.issue(number);
    if (!pulls.isPull(found)) throw notFound();
    return found;
  }
  findComment(id: number): Comment {
    for (const issue of this.issues.values()) {
      const found = issue.comments.find((one) => one.id === id);
      if (found !== undefined) return found;
    }
    throw notFound();
  }
  nextNumber(): number {
    return this.issues.size + 1;
  }

  environment(name: string, { protectedBy = [] }: { protectedBy?: readonly App[] } = {}): Environment {
    const made = { name, protection: [...protectedBy] };
    this.environments.set(name, made);
    return made;
  }

  status(sha: string, context: string, state: Status['state'], by: By = 'octocat'): Status {
    const creator = this.github.author(by).user;
    const made = {
      id: this.github.id(),
      sha,
      context,
      state,
      description: null,
      targetUrl: null,
      createdAt: this.github.time(),
      creator,
    };
    this.statuses.push(made);
    return made;
  }

  /** By path or file name; made of what the default branch holds. */
  workflow(name: string): Workflow | null {
    const path = name.includes('/') ? name : `.github/workflows/${name}`;
    const known =
      this.workflows.get(path) ?? [...this.workflows.values()].find((one) => String(one.id) === name);
    if (known !== undefined) return known;
    if (!this.commit(this.defaultBranch)!.files.has(path)) return null;
    return this.addWorkflow(path);
  }

  addWorkflow(path: string): Workflow {
    const name = path.replace(/^.*\//, '').replace(/\.ya?ml$/, '');
    const made: Workflow = {
      ...{ id: this.github.id(), name, path, state: 'active' },
      createdAt: this.github.time(),
    };
    this.workflows.set(path, made);
    return made;
  }

  /** A run as an event would start it, whatever the event. */
  startRun(run: Omit<NewRun, 'repository'>): FakeRun {
    return FakeRun.start({ ...run, repository: this });
  }
  run(id: number): FakeRun {
    const found = this.runs.find((one) => one.id === id);
    if (found === undefined) throw notFound();
    return found;
  }

  /** What a person may do here; null: cannot even see it. */
  roleOf(login: string): { role: RoleName; roleName: string } | null {
    const given = this.roles.get(login.toLowerCase());
    if (given !== undefined) return given;
    return this.isPrivate ? null : { role: 'read', roleName: 'read' };
  }

  requireCommit(name: string): Commit {
    const found = this.commit(name);
    if (found === null) throw invalid(`No commit found for SHA: ${name}`);
    return found;
  }
}
