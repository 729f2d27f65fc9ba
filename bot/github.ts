import type { Probot, ProbotOctokit } from 'probot';
import { z } from 'zod';
import { UserError } from '../src/errors.ts';
import { type OctokitClient, octokitGitHub } from '../src/github/octokit.ts';
import { type GitHub, GitHubUnavailable, type RepositoryName } from '../src/github/port.ts';
import { Pace } from './pace.ts';

/** GitHub as the app sees it. */
export interface AppClients {
  /** One repository, with the token of its installation. */
  of(where: RepositoryName & { installation: number }): Promise<GitHub>;
  /** Signed in as the app itself: its deliveries and installations. */
  app(): Promise<OctokitClient>;
  /** Signed in for an installation, for what belongs to no repository. */
  installation(id: number): Promise<OctokitClient>;
  /** As in the app's address on GitHub; proves that its id and key are right. */
  slug(): Promise<string>;
}

type Base = typeof ProbotOctokit;

/**
 * Probot's Octokit without its plugins that try again and that wait: a POST whose answer was lost is not sent twice,
 * limits come back to whoever runs the jobs, and a comment does not wait three seconds for the one before.
 */
export const plainOctokit = (base: Base): Base =>
  // a function: what Probot sets itself would win over an object
  base.defaults((options: object) => ({
    ...options,
    retry: { enabled: false },
    throttle: { enabled: false },
  })) as Base;

const mostClients = 1000;
const App = z.object({ slug: z.string().regex(/^[A-Za-z0-9-]{1,100}$/) });

export interface ClientOptions {
  onError: (labels: { status: string }) => void;
  /** Takes secrets out of what is written to GitHub: whatever a message holds, it is read by many there. */
  redact: (text: string) => string;
}

export function appClients(probot: Pick<Probot, 'auth'>, options: ClientOptions): AppClients {
  const known = new Map<number, Promise<OctokitClient>>();
  let slug: string | null = null;
  const clients: AppClients = {
    app: async () => guarded(await probot.auth(), options),
    installation(id) {
      let made = known.get(id);
      if (made === undefined) {
        if (known.size >= mostClients) known.clear();
        made = probot.auth(id).then((octokit) => guarded(octokit, options, new Pace()));
        known.set(id, made);
        made.catch(() => known.delete(id));
      }
      return made;
    },
    async slug() {
      if (slug !== null) return slug;
      const client = await clients.app();
      const { data } = await client.request('GET /app').catch((error: unknown) => {
        throw asTold(error);
      });
      slug = App.parse(data).slug;
      return slug;
    },
    async of({ installation, owner, repo }) {
      const client = await clients.installation(installation);
      return octokitGitHub({ client, repository: { owner, repo }, appSlug: await clients.slug() });
    },
  };
  return clients;
}

/** Whether asking for the app itself may go well later; a wrong id or key never does. */
function asTold(error: unknown): Error {
  const status = statusOf(error);
  if (status !== 401 && status !== 404)
    return new GitHubUnavailable(
      'GitHub does not say which app this is.',
      { retryAfterSeconds: null, ambiguous: false },
      { cause: error },
    );
  return new UserError({
    code: 'github_denied',
    message: 'GitHub knows no app with this id and key.',
    where: 'APP_ID',
    fix: 'Compare APP_ID and PRIVATE_KEY with the settings of the app; the clock of this machine must be right.',
    cause: error,
  });
}

/** 0: there was no answer. */
function statusOf(error: unknown): number {
  if (!(error instanceof Error) || !('status' in error)) return 0;
  return 'response' in error && error.response !== undefined ? Number(error.status) : 0;
}

/** Fields of requests that people read. */
const shown = new Set(['body', 'comment', 'description', 'output', 'title']);

/** Counts what fails, keeps the pace that GitHub asks for, and tells no secret. */
function guarded(octokit: OctokitClient, { onError, redact }: ClientOptions, pace?: Pace): OctokitClient {
  const request: OctokitClient['request'] = async (route, parameters) => {
    await pace?.turn(route);
    try {
      return await octokit.request(route, parameters && clean(parameters, redact));
    } catch (error) {
      onError({ status: String(statusOf(error)) });
      throw error;
    }
  };
  // the adapter takes the fetch that the client was made with
  return { request: Object.assign(request, { endpoint: Reflect.get(octokit.request, 'endpoint') }) };
}

function clean<T extends object>(parameters: T, redact: (text: string) => string): T {
  const within = (value: unknown): unknown => {
    if (typeof value === 'string') return redact(value);
    if (Array.isArray(value)) return value.map(within);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, within(one)]));
  };
  const entries = Object.entries(parameters);
  return Object.fromEntries(
    entries.map(([name, value]) => [name, shown.has(name) ? within(value) : value]),
  ) as T;
}
