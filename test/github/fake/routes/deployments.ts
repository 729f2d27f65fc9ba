import { HttpError, invalid, notFound } from '../errors.ts';
import * as render from '../render.ts';
import type { FakeRepository } from '../repository.ts';
import type { Deployment } from '../state.ts';
import { type Call, type Handlers, page, repositoryOf } from './call.ts';

interface DeploymentBody {
  ref: string;
  task?: string;
  auto_merge?: boolean;
  required_contexts?: string[] | null;
  payload?: unknown;
  environment?: string;
  description?: string | null;
  transient_environment?: boolean;
  production_environment?: boolean;
}

function deploymentOf(call: Call): Deployment {
  const id = Number(call.parameters.deployment_id);
  const found = repositoryOf(call).deployments.find((one) => one.id === id);
  if (found === undefined) throw notFound();
  return found;
}

/** Left out, `required_contexts` means every status and check of the commit. */
function requireGreen(repository: FakeRepository, sha: string, wanted: readonly string[] | null): void {
  const words = [
    ...repository.statuses.filter((one) => one.sha === sha).map((one) => [one.context, one.state] as const),
    ...repository.checks
      .filter((one) => one.headSha === sha)
      .map((one) => [one.name, one.conclusion ?? 'pending'] as const),
  ];
  const newest = new Map(words);
  const red = (wanted ?? [...newest.keys()]).filter(
    (name) => !['success', 'neutral', 'skipped'].includes(newest.get(name) ?? 'missing'),
  );
  if (red.length > 0) throw new HttpError(409, `Conflict: Commit status checks failed for ${red.join(', ')}`);
}

function setStatus(
  call: Call,
  of: Deployment,
  state: string,
  extra: { description?: string; logUrl?: string },
): void {
  of.statuses.push({
    id: call.github.id(),
    state,
    description: extra.description ?? '',
    logUrl: extra.logUrl ?? '',
    creator: call.by.user,
    createdAt: call.github.time(),
  });
  const repository = repositoryOf(call);
  call.github.emit(repository, 'deployment_status', 'created', call.by.user, {
    deployment: render.deployment(repository, of),
    deployment_status: render.deploymentStatus(repository, of, of.statuses.at(-1)!),
  });
}

export const deployments: Handlers = {
  'repos/list-deployments': (call) => {
    const repository = repositoryOf(call);
    const fits = (key: 'sha' | 'ref' | 'task' | 'environment', one: Deployment) =>
      call.query[key] === undefined || call.query[key] === 'none' || one[key] === call.query[key];
    const found = repository.deployments.filter(
      (one) => fits('sha', one) && fits('ref', one) && fits('task', one) && fits('environment', one),
    );
    return page(call, found.reverse(), (one) => render.deployment(repository, one));
  },
  'repos/create-deployment': (call) => {
    const repository = repositoryOf(call);
    const body = call.body as DeploymentBody;
    const { sha } = repository.requireCommit(body.ref);
    const isBranch = repository.refs.has(`heads/${body.ref}`);
    const main = repository.head(repository.defaultBranch);
    if (body.auto_merge !== false && isBranch && !repository.git.contains(sha, main)) {
      return {
        status: 202,
        body: { message: `Auto-merged ${repository.defaultBranch} into ${body.ref} on deployment.` },
      };
    }
    if (body.required_contexts?.length !== 0) requireGreen(repository, sha, body.required_contexts ?? null);
    const environment = body.environment ?? 'production';
    const made: Deployment = {
      id: call.github.id(),
      sha,
      ref: body.ref,
      task: body.task ?? 'deploy',
      environment,
      production: body.production_environment ?? environment === 'production',
      transient: body.transient_environment ?? false,
      description: body.description ?? null,
      payload: body.payload ?? '',
      creator: call.by.user,
      app: call.by.app,
      createdAt: call.github.time(),
      statuses: [],
    };
    repository.deployments.push(made);
    call.github.emit(repository, 'deployment', 'created', call.by.user, {
      deployment: render.deployment(repository, made),
      workflow: null,
      workflow_run: null,
    });
    return { status: 201, body: render.deployment(repository, made) };
  },
  'repos/list-deployment-statuses': (call) => {
    const repository = repositoryOf(call);
    const of = deploymentOf(call);
    return page(call, of.statuses.toReversed(), (one) => render.deploymentStatus(repository, of, one));
  },
  'repos/create-deployment-status': (call) => {
    const repository = repositoryOf(call);
    const of = deploymentOf(call);
    const body = call.body as {
      state: string;
      description?: string;
      log_url?: string;
      auto_inactive?: boolean;
    };
    if ((body.description ?? '').length > 140) {
      throw invalid('Validation Failed', [
        { field: 'description', message: 'description is too long (maximum is 140 characters)' },
      ]);
    }
    setStatus(call, of, body.state, {
      ...(body.description === undefined ? {} : { description: body.description }),
      ...(body.log_url === undefined ? {} : { logUrl: body.log_url }),
    });
    const made = of.statuses.at(-1)!;
    if (body.state === 'success' && body.auto_inactive !== false) {
      const others = repository.deployments.filter(
        (one) =>
          one !== of &&
          one.environment === of.environment &&
          !one.transient &&
          !one.production &&
          one.statuses.at(-1)?.state === 'success',
      );
      for (const other of others) setStatus(call, other, 'inactive', {});
    }
    return { status: 201, body: render.deploymentStatus(repository, of, made) };
  },
};
