import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const tools =
  process.env.MODELGATE_TOOLS ??
  path.join(process.env.XDG_CACHE_HOME ?? path.join(os.homedir(), '.cache'), 'modelgate-tools');
const versitygw = path.join(tools, 'bin', 'versitygw');
const moto = path.join(tools, 'moto', 'bin', 'moto_server');

const keys = { AWS_ACCESS_KEY_ID: 'test-key', AWS_SECRET_ACCESS_KEY: 'test-secret' };
export const bucket = 'models';

/** Which servers are installed, the one to prefer first. */
export function servers(): S3Server['kind'][] {
  const found: S3Server['kind'][] = [];
  if (existsSync(versitygw)) found.push('versitygw');
  if (existsSync(moto)) found.push('moto');
  return found;
}

/** What is said when there is no server to test against; null when there is one. Under CI there must be one. */
export function noServer(): string | null {
  if (process.env.CI || servers().length > 0) return null;
  return 'no S3 server: run scripts/install-tools.sh';
}

export interface S3Server {
  kind: 'versitygw' | 'moto';
  port: number;
  url: string;
  /** The variables that a client of it needs. */
  environment: Record<string, string>;
  stop(): Promise<void>;
}

/** The variables of a client that speaks to a port of this machine, and to nothing else. */
export function environmentFor(port: number): Record<string, string> {
  return {
    ...keys,
    AWS_REGION: 'us-east-1',
    AWS_ENDPOINT_URL: `http://127.0.0.1:${port}`,
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_CONFIG_FILE: '/dev/null',
    AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
  };
}

/** Starts an S3 server with one bucket, on a folder of its own: versitygw, else moto. */
export async function startS3(kind = servers()[0]): Promise<S3Server> {
  if (kind === undefined) throw new Error('no S3 server: run scripts/install-tools.sh');
  const folder = mkdtempSync(path.join(os.tmpdir(), 'modelgate-s3-'));
  const port = await freePort();
  if (kind === 'versitygw') mkdirSync(path.join(folder, bucket));
  const child =
    kind === 'versitygw'
      ? spawn(
          versitygw,
          ['--access', keys.AWS_ACCESS_KEY_ID, '--secret', keys.AWS_SECRET_ACCESS_KEY]
            .concat(['--port', `127.0.0.1:${port}`, '--quiet'])
            .concat(['posix', folder]),
          { stdio: ['ignore', 'ignore', 'pipe'] },
        )
      : spawn(moto, ['-H', '127.0.0.1', '-p', String(port)], { stdio: ['ignore', 'ignore', 'pipe'] });
  const said = collected(child);
  const environment = environmentFor(port);
  const url = `http://127.0.0.1:${port}`;
  await answering(url, child, said);
  if (kind === 'moto') await fetch(`${url}/${bucket}`, { method: 'PUT' });
  return {
    kind,
    port,
    url,
    environment,
    async stop() {
      child.kill('SIGKILL');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function collected(child: ChildProcess): () => string {
  let text = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    text = (text + chunk.toString()).slice(-2000);
  });
  return () => text;
}

async function answering(url: string, child: ChildProcess, said: () => string): Promise<void> {
  for (let waited = 0; waited < 600; waited += 1) {
    if (child.exitCode !== null) throw new Error(`the S3 server ended: ${said()}`);
    // any answer will do, a refusal included
    if (
      await fetch(url).then(
        () => true,
        () => false,
      )
    )
      return;
    await sleep(50);
  }
  child.kill('SIGKILL');
  throw new Error(`the S3 server does not answer: ${said()}`);
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
