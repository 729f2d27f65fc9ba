import { invalid, notFound } from '../errors.ts';
import * as render from '../render.ts';
import type { Annotation, CheckRun } from '../state.ts';
import { type Call, type Handlers, page, repositoryOf } from './call.ts';

interface CheckBody {
  name?: string;
  head_sha?: string;
  external_id?: string;
  details_url?: string;
  status?: string;
  conclusion?: string;
  output?: { title?: string; summary?: string; text?: string; annotations?: Annotation[] };
  actions?: unknown[];
}

function checkOf(call: Call): CheckRun {
  const found = repositoryOf(call).checks.find((one) => one.id === Number(call.parameters.check_run_id));
  if (found === undefined) throw notFound();
  return found;
}

/** Takes over what was said; annotations are added to those that are there, as GitHub does. */
function apply(call: Call, check: CheckRun, body: CheckBody): void {
  const { output } = body;
  for (const text of [output?.summary, output?.text]) {
    if ((text ?? '').length > 65_535)
      throw invalid('Invalid request.\n\nOnly 65535 characters are allowed; more were supplied.');
  }
  check.name = body.name ?? check.name;
  check.externalId = body.external_id ?? check.externalId;
  check.detailsUrl = body.details_url ?? check.detailsUrl;
  check.title = output?.title ?? check.title;
  check.summary = output?.summary ?? check.summary;
  check.text = output?.text ?? check.text;
  check.annotations.push(...(output?.annotations ?? []));
  check.status = body.status ?? check.status;
  if (body.conclusion === undefined && check.status !== 'completed') check.conclusion = null;
  if (body.conclusion === undefined) return;
  check.conclusion = body.conclusion;
  check.status = 'completed';
  check.completedAt = call.github.time();
}

function emit(call: Call, check: CheckRun, action: string): void {
  const repository = repositoryOf(call);
  call.github.emit(repository, 'check_run', action, call.by.user, {
    check_run: { ...render.checkRun(repository, check), check_suite: suite(check) },
  });
}

const suite = (check: CheckRun) => ({ id: check.app.id * 10_000, head_sha: check.headSha });

export const checks: Handlers = {
  'checks/create': (call) => {
    const repository = repositoryOf(call);
    const body = call.body as CheckBody;
    if (repository.commit(body.head_sha!) === null)
      throw invalid(`No commit found for SHA: ${body.head_sha}`);
    const check: CheckRun = {
      id: call.github.id(),
      app: call.by.app!,
      name: '',
      headSha: body.head_sha!,
      externalId: '',
      status: 'queued',
      conclusion: null,
      title: null,
      summary: null,
      text: null,
      annotations: [],
      detailsUrl: 'https://github.test/',
      startedAt: call.github.time(),
      completedAt: null,
    };
    apply(call, check, body);
    repository.checks.push(check);
    emit(call, check, 'created');
    if (check.status === 'completed') emit(call, check, 'completed');
    return { status: 201, body: render.checkRun(repository, check) };
  },
  'checks/update': (call) => {
    const check = checkOf(call);
    if (check.app !== call.by.app)
      throw invalid(
        'Invalid app_id `' +
          `${call.by.app?.id}` +
          '` - check run can only be modified by the GitHub App that created it.',
      );
    const before = check.status;
    apply(call, check, call.body as CheckBody);
    if (before !== 'completed' && check.status === 'completed') emit(call, check, 'completed');
    return { status: 200, body: render.checkRun(repositoryOf(call), check) };
  },
  'checks/get': (call) => ({ status: 200, body: render.checkRun(repositoryOf(call), checkOf(call)) }),
  'checks/list-annotations': (call) =>
    page(call, checkOf(call).annotations, (one) => ({ ...one, blob_href: 'https://github.test/' })),
  'checks/list-for-ref': (call) => {
    const repository = repositoryOf(call);
    const commit = repository.requireCommit(call.parameters.ref!);
    const { check_name: name, app_id: app, status, filter = 'latest' } = call.query;
    const found = repository.checks
      .filter((one) => one.headSha === commit.sha)
      .filter((one) => name === undefined || one.name === name)
      .filter((one) => app === undefined || one.app.id === app)
      .filter((one) => status === undefined || one.status === status)
      .toReversed();
    const latest = found.filter(
      (one, at) => found.findIndex((other) => other.app === one.app && other.name === one.name) === at,
    );
    return page(
      call,
      filter === 'all' ? found : latest,
      (one) => render.checkRun(repository, one),
      'check_runs',
    );
  },
  'repos/get-combined-status-for-ref': (call) => {
    const repository = repositoryOf(call);
    const { sha } = repository.requireCommit(call.parameters.ref!);
    const newest = new Map(
      repository.statuses.filter((one) => one.sha === sha).map((one) => [one.context, one]),
    );
    const all = [...newest.values()];
    const states = all.map((one) => one.state);
    const failed = states.some((state) => state === 'failure' || state === 'error');
    const state = failed
      ? 'failure'
      : states.length === 0 || states.includes('pending')
        ? 'pending'
        : 'success';
    const size = Number(call.query.per_page ?? 30);
    const from = (Number(call.query.page ?? 1) - 1) * size;
    return {
      status: 200,
      body: {
        state,
        sha,
        total_count: all.length,
        statuses: all.slice(from, from + size).map((one) => render.status(repository, one)),
        repository: render.repository(repository),
        commit_url: `${call.github.url}/repos/${repository.fullName}/commits/${sha}`,
        url: `${call.github.url}/repos/${repository.fullName}/commits/${sha}/status`,
      },
    };
  },
  'repos/create-commit-status': (call) => {
    const repository = repositoryOf(call);
    const body = call.body as { state: 'error' | 'failure' | 'pending' | 'success'; context?: string };
    const { sha } = repository.requireCommit(call.parameters.sha!);
    const made = repository.status(sha, body.context ?? 'default', body.state, call.by);
    return { status: 201, body: render.status(repository, made) };
  },
};
