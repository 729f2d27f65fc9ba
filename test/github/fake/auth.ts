import { createVerify } from 'node:crypto';
import { HttpError } from './errors.ts';
import type { FakeGitHub } from './github.ts';
import type { Operation, OperationId } from './openapi/index.ts';
import type { FakeRepository } from './repository.ts';
import type { Actor } from './state.ts';

/** Who asks: a token that was given out, or a JWT signed with an app's key. Anything else is 401. */
export function authenticate(github: FakeGitHub, header: string | undefined): Actor {
  const token = /^(?:bearer|token) (\S+)$/i.exec(header ?? '')?.[1];
  if (token === undefined) throw new HttpError(401, 'Requires authentication');
  if (token.split('.').length === 3) return appOf(github, token);
  const actor = github.tokens.get(token);
  if (actor === undefined || actor.expiresAt < github.now().getTime()) {
    throw new HttpError(401, 'Bad credentials');
  }
  return actor;
}

function appOf(github: FakeGitHub, token: string): Actor {
  const [head = '', claims = '', signature = ''] = token.split('.');
  const { iss, exp, iat } = JSON.parse(Buffer.from(claims, 'base64url').toString()) as {
    iss: string | number;
    exp: number;
    iat: number;
  };
  const app = [...github.apps.values()].find((one) =>
    [String(one.id), `Iv1.${one.id}`].includes(String(iss)),
  );
  const sound =
    app !== undefined &&
    createVerify('RSA-SHA256')
      .update(`${head}.${claims}`)
      .verify(app.publicKey, Buffer.from(signature, 'base64url'));
  if (!sound) throw new HttpError(401, 'A JSON web token could not be decoded');
  const now = github.now().getTime() / 1000;
  if (exp < now || exp - iat > 660) {
    throw new HttpError(401, "'Expiration time' claim ('exp') is too far in the future");
  }
  const expiresAt = exp * 1000;
  return {
    user: app.bot,
    app,
    permissions: {},
    repositories: null,
    installation: null,
    asApp: true,
    expiresAt,
  };
}

type Need = readonly (readonly [permission: string, level: 'read' | 'write'])[];

/** What an app's token must have, one of these. Left out: `metadata`, which every token has, or a JWT's own matter. */
const needs: Partial<Record<OperationId, Need>> = {
  'actions/cancel-workflow-run': [['actions', 'write']],
  'actions/create-workflow-dispatch': [['actions', 'write']],
  'actions/download-artifact': [['actions', 'read']],
  'actions/get-workflow': [['actions', 'read']],
  'actions/get-workflow-run': [['actions', 'read']],
  'actions/list-workflow-run-artifacts': [['actions', 'read']],
  'actions/list-workflow-runs': [['actions', 'read']],
  'actions/review-custom-gates-for-run': [['deployments', 'write']],
  'checks/create': [['checks', 'write']],
  'checks/get': [['checks', 'read']],
  'checks/list-annotations': [['checks', 'read']],
  'checks/list-for-ref': [['checks', 'read']],
  'checks/update': [['checks', 'write']],
  'git/create-commit': [['contents', 'write']],
  'git/create-ref': [['contents', 'write']],
  'git/create-tree': [['contents', 'write']],
  'git/get-blob': [['contents', 'read']],
  'git/get-commit': [['contents', 'read']],
  'git/get-ref': [['contents', 'read']],
  'issues/add-labels': [
    ['issues', 'write'],
    ['pull_requests', 'write'],
  ],
  'issues/create': [['issues', 'write']],
  'issues/get': [
    ['issues', 'read'],
    ['pull_requests', 'read'],
  ],
  'issues/list-for-repo': [
    ['issues', 'read'],
    ['pull_requests', 'read'],
  ],
  'issues/update': [
    ['issues', 'write'],
    ['pull_requests', 'write'],
  ],
  'pulls/create': [['pull_requests', 'write']],
  'pulls/get': [['pull_requests', 'read']],
  'pulls/list-reviews': [['pull_requests', 'read']],
  'repos/create-commit-status': [['statuses', 'write']],
  'repos/create-deployment': [['deployments', 'write']],
  'repos/create-deployment-status': [['deployments', 'write']],
  'repos/get-combined-status-for-ref': [['statuses', 'read']],
  'repos/compare-commits-with-basehead': [['contents', 'read']],
  'repos/get-content': [['contents', 'read']],
  'repos/list-deployment-statuses': [['deployments', 'read']],
  'repos/list-deployments': [['deployments', 'read']],
  'repos/list-pull-requests-associated-with-commit': [
    ['pull_requests', 'read'],
    ['contents', 'read'],
  ],
  'teams/get-membership-for-user-in-org': [['members', 'read']],
};
const ofComments: Record<string, 'read' | 'write'> = {
  'issues/create-comment': 'write',
  'issues/update-comment': 'write',
  'issues/get-comment': 'read',
  'issues/list-comments': 'read',
  'reactions/create-for-issue-comment': 'write',
  'reactions/delete-for-issue-comment': 'write',
  'reactions/list-for-issue-comment': 'read',
};

/** Refuses what the token may not do; `onPull` says where a comment stands. */
export function authorize(
  actor: Actor,
  operation: Operation,
  { repository, onPull }: { repository: FakeRepository | null; onPull: boolean | null },
): void {
  if (
    operation.id.startsWith('apps/') &&
    !['apps/list-repos-accessible-to-installation', 'apps/create-from-manifest'].includes(operation.id)
  ) {
    if (!actor.asApp) throw new HttpError(401, 'A JSON web token could not be decoded');
    return;
  }
  if (actor.asApp) throw new HttpError(403, 'Resource not accessible by integration');
  if (repository !== null && !sees(actor, repository)) throw new HttpError(404, 'Not Found');
  if (actor.permissions === null) {
    requireRole(actor, operation, repository);
    return;
  }
  if (!operation.forApps) throw new HttpError(403, 'Resource not accessible by integration');
  const level = ofComments[operation.id];
  const wanted: Need =
    level === undefined
      ? (needs[operation.id] ?? [])
      : onPull === null
        ? [
            ['issues', level],
            ['pull_requests', level],
          ]
        : [[onPull ? 'pull_requests' : 'issues', level]];
  const granted = actor.permissions;
  const enough = wanted.some(([name, need]) => granted[name] === 'write' || granted[name] === need);
  if (wanted.length > 0 && !enough) throw new HttpError(403, 'Resource not accessible by integration');
}

function sees(actor: Actor, repository: FakeRepository): boolean {
  if (actor.installation !== null && actor.installation.account !== repository.owner) {
    return !repository.isPrivate;
  }
  if (actor.repositories !== null && !actor.repositories.has(repository.fullName.toLowerCase())) {
    return !repository.isPrivate;
  }
  return actor.permissions !== null || repository.roleOf(actor.user.login) !== null;
}

/** A person with a token of their own: reading and talking for everybody who sees it, the rest for writers. */
function requireRole(actor: Actor, operation: Operation, repository: FakeRepository | null): void {
  const talks = /^(issues\/create|issues\/create-comment|reactions\/.*)$/.test(operation.id);
  if (operation.method === 'GET' || talks || repository === null) return;
  if (operation.id.startsWith('checks/')) {
    throw new HttpError(403, 'You must authenticate via a GitHub App.');
  }
  const role = repository.roleOf(actor.user.login)?.role ?? 'read';
  if (role === 'read' || role === 'triage') throw new HttpError(403, 'Must have write access to repository.');
}
