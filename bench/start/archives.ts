/**
 * The pinned archives of a native library, fetched once and given over loopback from then on: so a cold start is
 * measured without the network. Run by itself it is the server: `node archives.ts FOLDER` prints its port.
 */
import { spawn } from 'node:child_process';
import { createReadStream } from 'node:fs';
import { mkdir, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import type { NativePackage } from '../../src/native-install.ts';

export interface Archives {
  /** The registry to name. */
  url: string;
  /** Of all archives together. */
  bytes: number;
  /** Seconds that fetching them took here. */
  seconds: number;
  stop(): void;
}

/** Fetches packages from a registry into an empty folder, and serves it in a process of its own. */
export async function serveArchives(
  packages: readonly NativePackage[],
  { registry, folder }: { registry: string; folder: string },
): Promise<Archives> {
  const started = performance.now();
  let bytes = 0;
  for (const { name, version } of packages) {
    const place = `${name}/-/${name.split('/').at(-1)}-${version}.tgz`;
    const answer = await fetch(`${registry.replace(/\/+$/, '')}/${place}`);
    if (!answer.ok) throw new Error(`the registry answers ${answer.status} for ${place}`);
    const archive = Buffer.from(await answer.arrayBuffer());
    bytes += archive.length;
    await mkdir(path.join(folder, path.dirname(place)), { recursive: true });
    await writeFile(path.join(folder, place), archive);
  }
  const seconds = (performance.now() - started) / 1000;
  const server = spawn(process.execPath, [import.meta.filename, folder], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const port = await new Promise<string>((resolve, reject) => {
    server.once('error', reject);
    server.stdout.setEncoding('utf8').once('data', (text: string) => resolve(text.trim()));
  });
  return { url: `http://127.0.0.1:${port}`, bytes, seconds, stop: () => server.kill() };
}

if (import.meta.main) {
  const root = path.resolve(process.argv[2] ?? '.');
  const server = createServer(async (request, response) => {
    const file = path.join(root, decodeURIComponent(request.url ?? ''));
    const found = file.startsWith(root) ? await stat(file).catch(() => null) : null;
    if (found?.isFile() !== true) return response.writeHead(404).end();
    response.writeHead(200, { 'content-length': found.size });
    createReadStream(file).pipe(response);
  });
  server.listen(0, '127.0.0.1', () => process.stdout.write(`${(server.address() as AddressInfo).port}\n`));
}
