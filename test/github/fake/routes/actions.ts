import { HttpError, notFound } from '../errors.ts';
import * as render from '../render.ts';
import { FakeRun } from '../runs.ts';
import { type Call, type Handlers, page, repositoryOf } from './call.ts';

const runOf = (call: Call): FakeRun => repositoryOf(call).run(Number(call.parameters.run_id));

/** `>=2026-01-01T00:00:00Z`, `A..B` and the like. */
function inRange(time: string, range: string): boolean {
  const between = /^(.+)\.\.(.+)$/.exec(range);
  const at = Date.parse(time);
  const bound = (text: string) => (text === '*' ? Number.NaN : Date.parse(text));
  if (between !== null) {
    const [from, to] = [bound(between[1]!), bound(between[2]!)];
    return !(at < from) && !(at > to);
  }
  const [, sign, text] = /^(>=|<=|>|<)?(.+)$/.exec(range)!;
  const value = bound(text!);
  if (sign === '>=') return at >= value;
  if (sign === '>') return at > value;
  if (sign === '<=') return at <= value;
  if (sign === '<') return at < value;
  return time.startsWith(text!);
}

export const actions: Handlers = {
  'actions/get-workflow': (call) => {
    const repository = repositoryOf(call);
    const found = repository.workflow(call.parameters.workflow_id!);
    if (found === null) throw notFound();
    return { status: 200, body: render.workflow(repository, found) };
  },
  'actions/create-workflow-dispatch': (call) => {
    const repository = repositoryOf(call);
    const body = call.body as { ref: string; inputs?: Record<string, unknown>; return_run_details?: boolean };
    if (call.github.enterprise && body.return_run_details !== undefined) {
      throw new HttpError(400, 'Invalid request.\n\n"return_run_details" is not a permitted key.');
    }
    const run = FakeRun.dispatch(repository, call.by, {
      workflow: call.parameters.workflow_id!,
      ref: body.ref,
      inputs: body.inputs ?? {},
    });
    if (body.return_run_details !== true) return { status: 204 };
    const view = render.run(run);
    return {
      status: 200,
      body: { workflow_run_id: run.id, run_url: view.url, html_url: view.html_url },
    };
  },
  'actions/list-workflow-runs': (call) => {
    const repository = repositoryOf(call);
    const workflow = repository.workflow(call.parameters.workflow_id!);
    if (workflow === null) throw notFound();
    const { event, created, head_sha: head, branch, status, actor } = call.query;
    const found = repository.runs
      .filter((one) => one.workflow === workflow)
      .filter((one) => event === undefined || one.event === event)
      .filter((one) => head === undefined || one.headSha === head)
      .filter((one) => branch === undefined || one.headBranch === branch)
      .filter((one) => actor === undefined || one.actor.login === actor)
      .filter((one) => status === undefined || one.status === status || one.conclusion === status)
      .filter((one) => created === undefined || inRange(one.createdAt, String(created)));
    return page(call, found.reverse().slice(0, 1000), render.run, 'workflow_runs');
  },
  'actions/get-workflow-run': (call) => ({ status: 200, body: render.run(runOf(call)) }),
  'actions/cancel-workflow-run': (call) => {
    runOf(call).cancel();
    return { status: 202, body: {} };
  },
  'actions/list-workflow-run-artifacts': (call) => {
    const { name } = call.query;
    const found = runOf(call).artifacts.filter((one) => name === undefined || one.name === name);
    return page(call, found.toReversed(), (one) => render.artifact(repositoryOf(call), one), 'artifacts');
  },
  'actions/download-artifact': (call) => {
    const id = Number(call.parameters.artifact_id);
    const found = repositoryOf(call)
      .runs.flatMap((run) => run.artifacts)
      .find((one) => one.id === id);
    if (found === undefined) throw notFound();
    if (found.expired) throw new HttpError(410, 'Artifact has expired');
    const elsewhere = call.github.url.replace('127.0.0.1', 'localhost');
    return { status: 302, headers: { location: `${elsewhere}/_blobs/${id}` } };
  },
  'actions/review-custom-gates-for-run': (call) => {
    const { environment_name: name, state } = call.body as {
      environment_name: string;
      state?: 'approved' | 'rejected';
    };
    const environment = repositoryOf(call).environments.get(name);
    if (environment === undefined || !environment.protection.includes(call.by.app!)) throw notFound();
    if (state !== undefined) runOf(call).decide(name, state);
    return { status: 204 };
  },
};
