import { UserError } from '../errors.ts';
import type { OctokitClient } from './octokit/client.ts';

const longestAnswer = 5_000_000;

/**
 * Reads GitHub's REST API with a token, in the form of an Octokit: for the command line, which has none. Whatever is
 * asked of it, nothing changes but by these routes.
 */
export function tokenClient({
  url,
  token,
  changes = [],
}: {
  url: string;
  token: string;
  changes?: readonly string[];
}): OctokitClient {
  return {
    async request(route, parameters = {}) {
      const [method, template = ''] = route.split(' ', 2);
      const reads = method === 'GET';
      if (!reads && !changes.includes(route)) throw new Error(`this client may not: ${route}`);
      const { headers, request, ...values } = parameters as {
        headers?: Record<string, string>;
        request?: { fetch?: typeof fetch };
      } & Record<string, unknown>;
      const { target, rest } = addressOf(url, template, values);
      if (reads) for (const [name, value] of rest) target.searchParams.set(name, String(value));
      const response = await (request?.fetch ?? fetch)(target, {
        headers: { ...headers, accept: 'application/vnd.github+json', authorization: `Bearer ${token}` },
        ...(reads ? {} : { method, body: JSON.stringify(Object.fromEntries(rest)) }),
        // a redirect could carry the token to another host
        redirect: 'error',
      }).catch((cause: unknown) => {
        throw Object.assign(new Error('no answer', { cause }), { status: 500 });
      });
      const data = parse(await response.text());
      const told = Object.fromEntries(response.headers);
      if (response.ok) return { status: response.status, data, headers: told };
      throw Object.assign(new Error(messageOf(data)), {
        status: response.status,
        request: { url: target.href },
        response: { headers: told, data },
      });
    },
  };
}

/** Names in braces come from the values; the rest is given back. */
function addressOf(
  base: string,
  template: string,
  values: Record<string, unknown>,
): { target: URL; rest: ReadonlyMap<string, unknown> } {
  const rest = new Map(Object.entries(values));
  const path = template.replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = String(rest.get(name) ?? '');
    rest.delete(name);
    return encodeURIComponent(value);
  });
  if (!URL.canParse(base)) {
    throw new UserError({
      code: 'usage',
      message: 'The address of GitHub is not a URL.',
      where: 'GITHUB_API_URL',
      fix: 'Leave it out, or set it to the API of your GitHub Enterprise Server.',
    });
  }
  return { target: new URL(`${base.replace(/\/$/, '')}${path}`), rest };
}

function parse(text: string): unknown {
  if (text.length > longestAnswer) return null;
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function messageOf(data: unknown): string {
  return typeof data === 'object' && data !== null && 'message' in data ? String(data.message) : '';
}
