import { z } from 'zod';
import type {
  Artifact,
  Comment,
  Comparison,
  Deployment,
  Issue,
  PullRequest,
  Role,
  Workflow,
  WorkflowRun,
} from '../port.ts';

/** GitHub's answers, as far as they are read; accounts that were deleted are `ghost`. */

const Sha = z.string().regex(/^[0-9a-f]{40,64}$/);
const Id = z.number().int().nonnegative();
const Account = z
  .object({ login: z.string(), type: z.string().optional() })
  .nullish()
  .transform((account) => ({ login: account?.login ?? 'ghost', type: account?.type ?? 'User' }));
const ViaApp = z.object({ id: z.number(), slug: z.string().optional() }).nullish();
const Text = z
  .string()
  .nullish()
  .transform((text) => text ?? '');
const Labels = z
  .array(z.union([z.string(), z.object({ name: z.string().nullish() })]))
  .default([])
  .transform((labels) => labels.map((one) => (typeof one === 'string' ? one : (one.name ?? ''))));

export const Nothing = z.unknown();
export const WithId = z.object({ id: Id });
export const WithSha = z.object({ sha: Sha });

export const Repository = z.object({ default_branch: z.string() });
export const Reference = z.object({ object: z.object({ sha: Sha }) });
export const GitCommit = z.object({ sha: Sha, tree: z.object({ sha: Sha }) });
/** Null for a folder, a link out of the repository or a submodule. */
export const Content = z.union([
  z.object({
    type: z.literal('file'),
    size: z.number(),
    sha: Sha,
    encoding: z.string().optional(),
    content: z.string().optional(),
  }),
  z.unknown().transform(() => null),
]);
/** Links and submodules are no plain files. */
export const Tree = z
  .object({
    truncated: z.boolean(),
    tree: z.array(z.object({ path: z.string(), mode: z.string(), sha: z.string() })).max(200_000),
  })
  .transform(({ truncated, tree }) =>
    truncated
      ? null
      : tree
          .filter(({ mode }) => mode === '100644' || mode === '100755')
          .map(({ path, sha }) => ({ path, blob: sha })),
  );
export const Blob = z.object({ encoding: z.string(), content: z.string() });

export const Collaborator = z.object({
  permission: z.string(),
  role_name: z.string(),
  user: z
    .object({
      permissions: z
        .object({
          pull: z.boolean().optional(),
          triage: z.boolean().optional(),
          push: z.boolean().optional(),
          maintain: z.boolean().optional(),
          admin: z.boolean().optional(),
        })
        .optional(),
    })
    .nullish(),
});
export const Membership = z.object({ state: z.string() });

const builtIn: readonly Role[] = ['read', 'triage', 'write', 'maintain', 'admin'];

/** `permission` knows no triage and no maintain: the role's own name or its flags say more. */
export function roleOf({ permission, role_name: name, user }: z.infer<typeof Collaborator>): Role {
  const named = builtIn.find((role) => role === name);
  if (named !== undefined) return named;
  const { pull, triage, push, maintain, admin } = user?.permissions ?? {};
  if (admin === true) return 'admin';
  if (maintain === true) return 'maintain';
  if (push === true) return 'write';
  if (triage === true) return 'triage';
  if (pull === true) return 'read';
  return builtIn.find((role) => role === permission) ?? 'none';
}

const End = z.object({ ref: z.string(), sha: Sha, repo: z.object({ full_name: z.string() }).nullish() });
export const Pull = z
  .object({
    number: Id,
    html_url: z.string(),
    state: z.enum(['open', 'closed']),
    merged_at: z.string().nullish(),
    merge_commit_sha: Sha.nullish(),
    draft: z.boolean().default(false),
    user: Account,
    head: End,
    base: End,
    labels: Labels,
  })
  .transform((pull): PullRequest & { url: string } => ({
    number: pull.number,
    url: pull.html_url,
    state: pull.state,
    merged: typeof pull.merged_at === 'string',
    draft: pull.draft,
    author: pull.user.login,
    headSha: pull.head.sha,
    headRef: pull.head.ref,
    baseRef: pull.base.ref,
    // The fork may be gone: then its head is nobody's, and no less a stranger's.
    fork: pull.head.repo?.full_name !== pull.base.repo?.full_name,
    // While it is open this is a trial merge of GitHub's.
    mergeCommit: typeof pull.merged_at === 'string' ? (pull.merge_commit_sha ?? null) : null,
    labels: pull.labels,
  }));

const blobs = ({ status, filename: path, sha, previous_filename: before }: z.infer<typeof ChangedFile>) => [
  { path, blob: status === 'removed' ? null : (sha ?? null) },
  ...(before === undefined ? [] : [{ path: before, blob: null }]),
];
const ChangedFile = z.object({
  filename: z.string(),
  status: z.string(),
  sha: z.string().nullish(),
  previous_filename: z.string().optional(),
});
export const Compared = z
  .object({
    status: z.enum(['identical', 'behind', 'ahead', 'diverged']),
    ahead_by: z.number().int(),
    files: z.array(ChangedFile).default([]),
  })
  .transform(
    ({ status, ahead_by, files }): Comparison => ({ status, ahead: ahead_by, files: files.flatMap(blobs) }),
  );

export const OneWorkflow = z.object({ state: z.string(), created_at: z.string() }).transform(
  ({ state, created_at }): Workflow => ({
    state: state === 'active' ? 'active' : state === 'disabled_inactivity' ? 'inactive' : 'disabled',
    createdAt: created_at,
  }),
);

const reviewStates = {
  APPROVED: 'approved',
  CHANGES_REQUESTED: 'changes_requested',
  COMMENTED: 'commented',
  DISMISSED: 'dismissed',
  PENDING: 'pending',
} as const;
export const PullReview = z.object({
  user: Account,
  state: z
    .enum(['APPROVED', 'CHANGES_REQUESTED', 'COMMENTED', 'DISMISSED', 'PENDING'])
    .transform((state) => reviewStates[state]),
  commit_id: z.string().nullish(),
});

/** Which app we are: its bot's login has brackets, which no person's can have. */
export interface Identity {
  /** As in its address on GitHub; `github-actions` in a workflow. */
  slug: string;
}

const isOurs = (
  { slug }: Identity,
  { user, via }: { user: z.infer<typeof Account>; via: z.infer<typeof ViaApp> },
): boolean =>
  user.type === 'Bot' && user.login === `${slug}[bot]` && (via?.slug === undefined || via.slug === slug);

export const commentOf = (identity: Identity) =>
  z
    .object({
      id: Id,
      body: Text,
      user: Account,
      performed_via_github_app: ViaApp,
      created_at: z.string(),
      html_url: z.string(),
    })
    .transform(
      (one): Comment => ({
        id: one.id,
        body: one.body,
        author: one.user.login,
        ours: isOurs(identity, { user: one.user, via: one.performed_via_github_app }),
        createdAt: one.created_at,
        url: one.html_url,
      }),
    );

export const issueOf = (identity: Identity) =>
  z
    .object({
      number: Id,
      state: z.enum(['open', 'closed']),
      title: z.string(),
      body: Text,
      labels: Labels,
      user: Account,
      performed_via_github_app: ViaApp,
      closed_by: z.object({ login: z.string() }).nullish(),
      updated_at: z.string(),
      html_url: z.string(),
      pull_request: z.unknown().optional(),
    })
    .transform((one): Issue & { isPull: boolean } => ({
      number: one.number,
      state: one.state,
      title: one.title,
      body: one.body,
      labels: one.labels,
      ours: isOurs(identity, { user: one.user, via: one.performed_via_github_app }),
      closedBy: one.closed_by?.login ?? null,
      updatedAt: one.updated_at,
      url: one.html_url,
      isPull: one.pull_request !== undefined,
    }));

export const Check = z.object({
  id: Id,
  name: z.string(),
  external_id: z.string().nullish(),
  status: z.string(),
  conclusion: z.string().nullable(),
  app: z.object({ slug: z.string().optional() }).nullish(),
});
export const CheckAnnotation = z.object({
  path: z.string(),
  start_line: z.number(),
  annotation_level: z.string().nullable(),
  title: Text,
  message: Text,
});
export const CombinedStatus = z.object({
  total_count: z.number(),
  statuses: z.array(z.object({ context: z.string(), state: z.string() })),
});

/** Where GitHub knows more words, the run has not begun. */
const RunStatus = z
  .string()
  .nullable()
  .transform((status) => (status === 'completed' || status === 'in_progress' ? status : ('queued' as const)));
export const runOf = (identity: Identity) =>
  z
    .object({
      id: Id,
      run_attempt: z.number().int().default(1),
      display_title: Text,
      path: z.string(),
      event: z.string(),
      status: RunStatus,
      conclusion: z.string().nullable(),
      head_sha: Sha,
      head_branch: z.string().nullable(),
      head_repository: z.object({ full_name: z.string() }).nullish(),
      actor: Account,
      created_at: z.string(),
      run_started_at: z.string().nullish(),
      updated_at: z.string(),
      html_url: z.string(),
      pull_requests: z.array(z.object({ number: Id })).nullish(),
    })
    .transform(
      (run): WorkflowRun => ({
        id: run.id,
        attempt: run.run_attempt,
        title: run.display_title,
        // A required workflow of the organisation has its ref behind an @.
        path: run.path.replace(/@.*$/, ''),
        event: run.event,
        status: run.status,
        conclusion: run.conclusion,
        headSha: run.head_sha,
        headBranch: run.head_branch,
        headRepository: run.head_repository?.full_name ?? null,
        actor: run.actor.login,
        ours: isOurs(identity, { user: run.actor, via: undefined }),
        createdAt: run.created_at,
        startedAt: run.run_started_at ?? run.created_at,
        updatedAt: run.updated_at,
        url: run.html_url,
        pullRequests: (run.pull_requests ?? []).map(({ number }) => number),
      }),
    );

/** Nothing where GitHub answers 204: it does not tell the run. */
export const Dispatched = z.union([
  z
    .object({ workflow_run_id: Id, html_url: z.string() })
    .transform((run) => ({ runId: run.workflow_run_id, url: run.html_url })),
  z.unknown().transform(() => null),
]);

export const RunArtifact = z
  .object({ id: Id, name: z.string(), size_in_bytes: z.number(), expired: z.boolean() })
  .transform(
    (one): Artifact => ({ id: one.id, name: one.name, size: one.size_in_bytes, expired: one.expired }),
  );

export const OneDeployment = z
  .object({ id: Id, environment: z.string(), sha: Sha, payload: z.unknown(), created_at: z.string() })
  .transform(
    (one): Deployment => ({
      id: one.id,
      environment: one.environment,
      sha: one.sha,
      payload: one.payload,
      createdAt: one.created_at,
    }),
  );
