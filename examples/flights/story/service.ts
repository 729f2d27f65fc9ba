import { type ChildProcess, spawn } from 'node:child_process';
import path from 'node:path';

export interface Service {
  url: string;
  /** Ends it as an operator would; what it logged is in the store afterwards. */
  stop(): Promise<void>;
}

/** Starts `modelgate serve` as a process of its own, and waits until it says where it listens. */
export async function startService(options: {
  model: string;
  config: string;
  store: string;
  logDirectory: string;
}): Promise<Service> {
  const bin = path.join(import.meta.dirname, '../../../bin/modelgate.js');
  const child = spawn(
    process.execPath,
    [
      bin,
      'serve',
      ...['--model', options.model, '--environment', 'production', '--port', '0'],
      ...[
        '--config',
        options.config,
        '--store',
        options.store,
        '--log-directory',
        options.logDirectory,
        '--json',
      ],
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  const url = await listening(child);
  return {
    url,
    async stop() {
      process.off('exit', kill);
      if (child.exitCode !== null) return;
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGTERM');
      await ended;
    },
  };
}

function listening(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let said = '';
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      said += text;
      const url = /at (http:\/\/\S+)/.exec(said)?.[1];
      if (url !== undefined) resolve(url);
    });
    child.once('exit', (code) => reject(new Error(`serve ended with ${code}: ${said.slice(-500)}`)));
  });
}
