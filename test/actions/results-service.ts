import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { z } from 'zod';
import { sha256 } from '../../src/json.ts';

const Request = z.object({
  workflow_run_backend_id: z.string(),
  workflow_job_run_backend_id: z.string(),
  name: z.string().optional(),
  size: z.string().optional(),
  hash: z.union([z.string(), z.object({ value: z.string() })]).optional(),
  name_filter: z.union([z.string(), z.object({ value: z.string() })]).optional(),
  id_filter: z.union([z.string(), z.object({ value: z.string() })]).optional(),
});

interface StoredArtifact {
  id: number;
  run: string;
  name: string;
  job: string;
  blocks: Map<string, Buffer>;
  content: Buffer | null;
  finalized: boolean;
  deleted: boolean;
}

/**
 * The part of the Actions results service that `@actions/artifact` speaks to: Twirp JSON for artifacts, and block
 * blobs. Tokens are unsigned JWTs with the scope that the client reads; one of another run sees nothing.
 */
export class ResultsService implements AsyncDisposable {
  readonly artifacts: StoredArtifact[] = [];
  private readonly server = createServer((request, response) => {
    this.answer(request, response).catch((error: unknown) => {
      response.writeHead(500).end(JSON.stringify({ msg: String(error) }));
    });
  });

  static async start(): Promise<ResultsService> {
    const service = new ResultsService();
    await new Promise<void>((resolve) => service.server.listen(0, '127.0.0.1', resolve));
    return service;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/`;
  }

  /** Variables that the runner gives to a job of a run. */
  variables(run: string, job: string): Record<string, string> {
    const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const token = `${part({ alg: 'none' })}.${part({ scp: `Actions.Results:${run}:${job}` })}.${part('signature')}`;
    return { ACTIONS_RESULTS_URL: this.url, ACTIONS_RUNTIME_TOKEN: token };
  }

  /** The zip of a finished artifact. */
  content(name: string): Buffer {
    const found = this.artifacts.findLast(
      (artifact) => artifact.name === name && artifact.finalized && !artifact.deleted,
    );
    if (found?.content === undefined || found.content === null) throw new Error(`no artifact ${name}`);
    return found.content;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks);
    const url = new URL(request.url ?? '/', this.url);
    const method = /^\/twirp\/github\.actions\.results\.api\.v1\.ArtifactService\/(\w+)$/.exec(
      url.pathname,
    )?.[1];
    if (method === undefined) return this.blob(request.method ?? '', url, body, response);
    const run = runOf(request.headers.authorization ?? '');
    const asked = Request.parse(JSON.parse(body.toString('utf8')));
    if (run === null || run !== asked.workflow_run_backend_id) {
      response.writeHead(401).end(JSON.stringify({ code: 'unauthenticated', msg: 'wrong token' }));
      return;
    }
    const [status, reply] = this.call(method, run, asked);
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(reply));
  }

  private call(method: string, run: string, asked: z.infer<typeof Request>): [number, unknown] {
    const ofRun = this.artifacts.filter((artifact) => artifact.run === run && !artifact.deleted);
    const named = ofRun.find((artifact) => artifact.name === asked.name);
    switch (method) {
      case 'CreateArtifact': {
        if (named !== undefined)
          return [409, { code: 'already_exists', msg: 'an artifact with this name already exists' }];
        const id = this.artifacts.length + 1;
        const job = asked.workflow_job_run_backend_id;
        this.artifacts.push({
          id,
          run,
          job,
          name: asked.name ?? '',
          blocks: new Map(),
          content: null,
          finalized: false,
          deleted: false,
        });
        return [200, { ok: true, signed_upload_url: this.blobUrl(id) }];
      }
      case 'FinalizeArtifact': {
        const hash = named?.content == null ? null : `sha256:${sha256(named.content)}`;
        if (named === undefined || hash !== textOf(asked.hash))
          return [400, { msg: 'not the uploaded bytes' }];
        named.finalized = true;
        return [200, { ok: true, artifact_id: String(named.id) }];
      }
      case 'DeleteArtifact': {
        if (named === undefined) return [404, { code: 'not_found', msg: 'not found' }];
        named.deleted = true;
        return [200, { ok: true, artifact_id: String(named.id) }];
      }
      case 'ListArtifacts': {
        const artifacts = ofRun
          .filter(({ finalized }) => finalized)
          .filter(({ name }) => asked.name_filter === undefined || name === textOf(asked.name_filter))
          .filter(({ id }) => asked.id_filter === undefined || String(id) === textOf(asked.id_filter))
          .map((artifact) => ({
            workflow_run_backend_id: run,
            workflow_job_run_backend_id: artifact.job,
            database_id: String(artifact.id),
            name: artifact.name,
            size: String(artifact.content?.length ?? 0),
            created_at: '2026-01-01T00:00:00Z',
            digest: `sha256:${sha256(artifact.content ?? '')}`,
          }));
        return [200, { artifacts }];
      }
      case 'GetSignedArtifactURL':
        return named === undefined
          ? [404, { msg: 'not found' }]
          : [200, { signed_url: this.blobUrl(named.id) }];
      default:
        return [404, { code: 'bad_route', msg: method }];
    }
  }

  private blobUrl(id: number): string {
    return `${this.url}account/container/blob-${id}?sig=signature-${id}`;
  }

  /** Azure's block blobs: blocks are put one by one, then listed in order. */
  private blob(method: string, url: URL, body: Buffer, response: ServerResponse): void {
    const id = Number(/^\/account\/container\/blob-(\d+)$/.exec(url.pathname)?.[1] ?? Number.NaN);
    const artifact = this.artifacts.find((candidate) => candidate.id === id);
    if (artifact === undefined || url.searchParams.get('sig') !== `signature-${id}`) {
      response.writeHead(403).end();
      return;
    }
    if (method === 'GET' && artifact.content !== null) {
      response.writeHead(200, { 'content-type': 'application/zip' }).end(artifact.content);
      return;
    }
    if (method !== 'PUT') {
      response.writeHead(405).end();
      return;
    }
    const part = url.searchParams.get('comp');
    if (part === 'block') artifact.blocks.set(url.searchParams.get('blockid') ?? '', body);
    else if (part === 'blocklist') {
      const listed = [...body.toString('utf8').matchAll(/<Latest>([^<]+)<\/Latest>/g)];
      artifact.content = Buffer.concat(
        listed.map(([, block = '']) => artifact.blocks.get(block) ?? Buffer.alloc(0)),
      );
    } else artifact.content = body;
    const headers = { etag: '"1"', 'last-modified': new Date(0).toUTCString(), 'x-ms-request-id': '1' };
    response.writeHead(201, headers).end();
  }
}

function textOf(value: string | { value: string } | undefined): string | undefined {
  return typeof value === 'object' ? value.value : value;
}

function runOf(authorization: string): string | null {
  const payload = authorization.replace(/^Bearer /, '').split('.')[1] ?? '';
  const parsed = z
    .object({ scp: z.string() })
    .safeParse(JSON.parse(Buffer.from(payload, 'base64url').toString('utf8') || '{}'));
  return parsed.success ? (/^Actions\.Results:([^:]+):[^:]+$/.exec(parsed.data.scp)?.[1] ?? null) : null;
}
