import { randomBytes, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { z } from 'zod';
import { requireFree, storeCredentials } from './credentials.ts';
import { appManifest } from './manifest.ts';
import { listen } from './server.ts';
import type { GitHubUrls } from './settings.ts';
import { donePage, failedPage, startPage } from './setup-pages.ts';

/** GitHub takes a code for an hour. */
const Returned = z.object({
  code: z.string().regex(/^[A-Za-z0-9_-]{1,200}$/),
  state: z.string().max(100),
});
const Made = z.object({
  id: z.number().int().positive(),
  slug: z.string().regex(/^[A-Za-z0-9-]{1,100}$/),
  pem: z.string().regex(/^-----BEGIN (RSA )?PRIVATE KEY-----/),
  webhook_secret: z.string().min(32),
});

export interface SetupOptions {
  github: GitHubUrls;
  host: string;
  port: number;
  webhookUrl: string;
  /** Whose app it becomes; null: of the person at the browser. */
  organization: string | null;
  /** The file for the credentials. */
  file: string;
  /** Told where to open the page. */
  opened: (url: string) => void;
  signal: AbortSignal;
}

export interface MadeApp {
  appId: number;
  slug: string;
  /** Where it is installed on repositories. */
  install: string;
}

interface Answer {
  status: number;
  html: string;
}

/**
 * A page that takes a person to GitHub with the app's manifest and, when GitHub sends the browser back, stores the
 * app's credentials; resolves then. Whoever does not know the address that `opened` is told sees nothing, and a code
 * that this page did not ask for is not taken. Throws `bot_settings` (port, file), and what `signal` says.
 */
export async function setUp(options: SetupOptions): Promise<MadeApp> {
  await requireFree(options.file);
  const server = createServer({ requestTimeout: 30_000, headersTimeout: 10_000 });
  await listen(server, options);
  const { port } = server.address() as AddressInfo;
  // a browser does not open 0.0.0.0
  const name = ['0.0.0.0', '::'].includes(options.host) ? 'localhost' : options.host;
  const host = `${name.includes(':') ? `[${name}]` : name}:${port}`;
  const [room, state] = [randomBytes(16).toString('hex'), randomBytes(16).toString('hex')];
  const url = `http://${host}/${room}`;
  const manifest = await appManifest({ webhookUrl: options.webhookUrl, redirectUrl: `${url}/made` });
  try {
    return await new Promise<MadeApp>((resolve, reject) => {
      const stop = () => reject(options.signal.reason);
      options.signal.addEventListener('abort', stop, { once: true });
      if (options.signal.aborted) stop();
      const talk = new Talk({ ...options, host, room, state, manifest });
      server.on('request', (request, response) => {
        talk
          .answer(request)
          .catch(() => ({ status: 500, html: failedPage('Something went wrong; nothing was stored.') }))
          .then((one) => send(response, one, options.github.web))
          .then(() => talk.made !== null && resolve(talk.made));
      });
      options.opened(url);
    });
  } finally {
    server.close();
    server.closeAllConnections();
  }
}

class Talk {
  made: MadeApp | null = null;
  private readonly options: SetupOptions & { host: string; room: string; state: string; manifest: object };
  private converting = false;

  constructor(options: SetupOptions & { host: string; room: string; state: string; manifest: object }) {
    this.options = options;
  }

  async answer(request: IncomingMessage): Promise<Answer> {
    const { host, room, state, manifest, github, organization, webhookUrl, file } = this.options;
    const url = URL.parse(request.url ?? '', `http://${host}`);
    const [, inRoom = '', ...rest] = url?.pathname.split('/') ?? [];
    // another name for this address would be another site's page that speaks to us
    const known = request.headers.host === host && equal(inRoom, room) && request.method === 'GET';
    if (url === null || !known || rest.length > 1) return { status: 404, html: failedPage('Not found.') };
    if (rest.length === 0) {
      const owner = organization === null ? '' : `/organizations/${organization}`;
      const action = `${github.web}${owner}/settings/apps/new?state=${state}`;
      return { status: 200, html: startPage({ action, manifest, webhookUrl, file }) };
    }
    const returned = Returned.safeParse(Object.fromEntries(url.searchParams));
    if (rest[0] !== 'made' || !returned.success || !equal(returned.data.state, state))
      return { status: 400, html: failedPage('This is no answer to what this page asked of GitHub.') };
    if (this.converting) return { status: 409, html: failedPage('It is being done already.') };
    this.converting = true;
    try {
      return await this.convert(returned.data.code);
    } finally {
      this.converting = false;
    }
  }

  /** Exchanges the code for the credentials: once, since GitHub gives them once. */
  private async convert(code: string): Promise<Answer> {
    const { github, file } = this.options;
    const again =
      'Start again at the first page; if GitHub already lists the app under Developer settings, delete it there first.';
    const answer = await fetch(`${github.api}/app-manifests/${code}/conversions`, {
      method: 'POST',
      headers: { accept: 'application/vnd.github+json', 'user-agent': 'modelgate' },
      redirect: 'error',
      signal: AbortSignal.timeout(30_000),
    }).catch(() => null);
    if (answer === null || answer.status !== 201) {
      const what = answer === null ? 'GitHub did not answer.' : `GitHub answered ${answer.status}.`;
      return { status: 502, html: failedPage(`${what} ${again}`) };
    }
    const made = Made.safeParse(await answer.json().catch(() => null));
    if (!made.success)
      return { status: 502, html: failedPage(`GitHub's answer lacks what it should hold. ${again}`) };
    const { id, slug, pem, webhook_secret: webhookSecret } = made.data;
    await storeCredentials(file, { appId: id, privateKey: pem, webhookSecret });
    const install = `${github.web}/${github.apps}/${slug}/installations/new`;
    this.made = { appId: id, slug, install };
    return { status: 200, html: donePage({ install, file }) };
  }
}

function equal(a: string, b: string): boolean {
  return a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b));
}

function send(response: ServerResponse, { status, html }: Answer, github: string): Promise<void> {
  response.writeHead(status, {
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': `default-src 'none'; style-src 'unsafe-inline'; form-action ${github}; frame-ancestors 'none'; base-uri 'none'`,
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
    'cache-control': 'no-store',
    connection: 'close',
  });
  return new Promise((resolve) => {
    response.once('close', () => resolve());
    response.end(html);
  });
}
