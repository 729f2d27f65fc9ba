import { UserError } from '../../errors.ts';
import { readDirectory, readMember, ZipRefused, zipInMemory } from '../../zip.ts';
import type { Artifact, GitHub } from '../port.ts';
import * as answers from './answers.ts';
import { collect, type GitHubApi, refusalDetail } from './client.ts';

const repo = '/repos/{owner}/{repo}';
/** GitHub itself gives at most the newest thousand of a filtered list. */
const runPages = 10;
/** A report packs ten to twenty times; hundreds of times is a bomb. */
const archiveLimits = { entries: 1000, bytes: Number.MAX_SAFE_INTEGER, ratio: 200 };
/** Of a deployment's or its status's description, in characters. */
const descriptionLimit = 140;

/** Starts a workflow. */
export const dispatchRoute = `POST ${repo}/actions/workflows/{workflow_id}/dispatches`;

type WorkflowPart = Pick<
  GitHub,
  | 'dispatch'
  | 'workflow'
  | 'run'
  | 'runs'
  | 'cancelRun'
  | 'artifacts'
  | 'artifactFile'
  | 'deployments'
  | 'createDeployment'
  | 'setDeploymentState'
  | 'reviewDeployment'
>;

/** Workflow runs with their artifacts, and deployments. */
export function workflowPart(api: GitHubApi, identity: answers.Identity): WorkflowPart {
  const oneRun = answers.runOf(identity);
  /** Older GitHub Enterprise does not know the question which run it was: asked once, then never again. */
  let tellsRun = true;

  async function dispatched(parameters: Record<string, unknown>) {
    if (tellsRun) {
      try {
        return await api.change(answers.Dispatched, dispatchRoute, {
          ...parameters,
          return_run_details: true,
        });
      } catch (error) {
        // Refused for the field alone, so nothing was started.
        if (!/return_run_details/.test(refusalDetail(error)?.message ?? '')) throw error;
        tellsRun = false;
      }
    }
    return api.change(answers.Dispatched, dispatchRoute, parameters);
  }

  return {
    // a tag may have the branch's name
    dispatch: ({ workflow, branch, inputs }) =>
      dispatched({ workflow_id: workflow, ref: `refs/heads/${branch}`, inputs }),

    workflow: (file) =>
      api.find(answers.OneWorkflow, `${repo}/actions/workflows/{workflow_id}`, { workflow_id: file }),

    run: (id) => api.find(oneRun, `${repo}/actions/runs/{run_id}`, { run_id: id }),

    runs({ workflow, event, createdAfter, headSha }) {
      return api.list(oneRun, `${repo}/actions/workflows/{workflow_id}/runs`, {
        workflow_id: workflow,
        ...(event === undefined ? {} : { event }),
        ...(createdAfter === undefined ? {} : { created: `>=${inSeconds(createdAfter)}` }),
        ...(headSha === undefined ? {} : { head_sha: headSha }),
        key: 'workflow_runs',
        pages: runPages,
      });
    },

    async cancelRun(id) {
      try {
        await api.change(answers.Nothing, `POST ${repo}/actions/runs/{run_id}/cancel`, { run_id: id });
      } catch (error) {
        // It ended by itself.
        if (refusalDetail(error)?.status !== 409) throw error;
      }
    },

    artifacts(runId) {
      const route = `${repo}/actions/runs/{run_id}/artifacts`;
      const asked = { run_id: runId, key: 'artifacts', pages: runPages };
      return collect(api.list(answers.RunArtifact, route, asked));
    },

    artifactFile: (request) => artifactFile(api, request),

    deployments: ({ environment, task }) =>
      api.list(answers.OneDeployment, `${repo}/deployments`, {
        environment,
        ...(task === undefined ? {} : { task }),
        pages: runPages,
      }),

    createDeployment: ({ sha, environment, task, production, description, payload }) =>
      api.change(answers.OneDeployment, `POST ${repo}/deployments`, {
        ref: sha,
        environment,
        task,
        description: shortened(description),
        payload,
        production_environment: production,
        // Left out, GitHub may merge the default branch into the ref instead, and asks for every check to be green.
        auto_merge: false,
        required_contexts: [],
      }),

    async setDeploymentState(id, { state, description, logUrl }) {
      await api.change(answers.WithId, `POST ${repo}/deployments/{deployment_id}/statuses`, {
        deployment_id: id,
        state,
        description: shortened(description),
        ...(logUrl === null ? {} : { log_url: logUrl }),
        // GitHub would do so for some environments and not for production: whoever deploys says it for each.
        auto_inactive: false,
      });
    },

    async reviewDeployment({ runId, environment, state, comment }) {
      const route = `POST ${repo}/actions/runs/{run_id}/deployment_protection_rule`;
      await api.change(answers.Nothing, route, {
        run_id: runId,
        environment_name: environment,
        state,
        comment: comment.slice(0, 1024),
      });
    },
  };
}

/** GitHub's clock has no finer time: a run of the same second is never left out. */
const inSeconds = (time: string): string => `${new Date(time).toISOString().slice(0, 19)}Z`;

const shortened = (text: string): string =>
  text.length <= descriptionLimit ? text : `${text.slice(0, descriptionLimit - 1)}…`;

async function artifactFile(
  api: GitHubApi,
  { artifact, name, limit }: { artifact: Artifact; name: RegExp; limit: number },
): Promise<Buffer | null> {
  if (artifact.size > limit) throw refused(artifact, `it has ${artifact.size} bytes; ${limit} are allowed`);
  const route = `${repo}/actions/artifacts/{artifact_id}/zip`;
  const bytes = await api.bytes(route, { artifact_id: artifact.id }, limit);
  if (bytes === null) throw refused(artifact, `it has more than ${limit} bytes`);
  try {
    const archive = zipInMemory(bytes);
    const found = (await readDirectory(archive, archiveLimits)).filter((entry) => name.test(entry.name));
    const [entry] = found;
    if (entry === undefined) return null;
    if (found.length > 1) throw new ZipRefused('more than one file in it could be meant');
    if (entry.size > limit) {
      throw new ZipRefused(`its file has ${entry.size} bytes; ${limit} are allowed`);
    }
    return await readMember(archive, entry);
  } catch (error) {
    if (error instanceof ZipRefused) throw refused(artifact, error.message, error);
    throw error;
  }
}

function refused(artifact: Artifact, what: string, cause?: unknown): UserError {
  return new UserError({
    code: 'github_artifact_refused',
    message: `The artifact of a workflow run is refused: ${what}.`,
    where: `artifact ${artifact.id}`,
    fix: 'Run the workflow again; if it happens again, look at what its job uploads.',
    cause,
  });
}
