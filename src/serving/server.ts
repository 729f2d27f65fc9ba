import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { hasCode, UserError } from '../errors.ts';
import { Application, type ApplicationOptions, defaultLimits, type ServerLimits } from './application.ts';

export interface ServerOptions extends ApplicationOptions {
  host?: string;
  /** 0 takes a free one. */
  port: number;
  limits?: Partial<ServerLimits>;
}

export interface RunningServer {
  url: string;
  port: number;
  /** Takes no new connections, answers what is under way, and ends. */
  close(): Promise<void>;
}

const loopback = ['127.0.0.1', '::1', 'localhost'];

/** Answers the Open Inference Protocol v2 (REST) and `/metrics`. Throws `usage` when it cannot listen. */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const host = options.host ?? '127.0.0.1';
  if (options.token === null && !loopback.includes(host)) {
    throw new UserError({
      code: 'usage',
      message: `Without a token the server listens on this machine alone, not on ${host}.`,
      fix: 'Set MODELGATE_SERVE_TOKEN, or leave --host out.',
    });
  }
  const limits = { ...defaultLimits, ...options.limits };
  const application = new Application({ ...options, limits });
  const server = createServer(
    {
      headersTimeout: limits.headersMs,
      requestTimeout: limits.requestMs,
      keepAliveTimeout: 5000,
      connectionsCheckingInterval: 1000,
      maxHeaderSize: 16_384,
    },
    (request, response) => void application.handle(request, response),
  );
  server.maxConnections = limits.connections;
  const port = await listen(server, host, options.port);
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${port}`,
    port,
    close: () => {
      application.draining = true;
      return new Promise((resolve) => {
        // A connection that is kept alive falls idle when its last request is answered.
        const sweep = setInterval(() => server.closeIdleConnections(), 50);
        const force = setTimeout(() => server.closeAllConnections(), limits.requestMs);
        server.close(() => {
          clearInterval(sweep);
          clearTimeout(force);
          resolve();
        });
      });
    },
  };
}

function listen(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => {
      const busy = hasCode(error, 'EADDRINUSE');
      const what = busy ? 'is in use' : 'cannot be listened on';
      const fix = busy
        ? 'Stop the other server, or take a free port with --port 0.'
        : 'Give another --host or --port.';
      reject(new UserError({ code: 'usage', message: `${host}:${port} ${what}.`, fix, cause: error }));
    });
    server.listen(port, host, () => resolve((server.address() as AddressInfo).port));
  });
}
