import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';

const binary = path.join(import.meta.dirname, '../../bin/modelgate.js');

export interface Ran {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** Where `npx` finds it as well. */
const commands = (base: string) => path.join(base, 'node_modules/.bin');
export const remote = 'https://github.com/newcomer/deliveries.git';

/** A newcomer's repository in a temporary folder, a shell that knows `modelgate`, and what GitHub has of it. */
export class Newcomer {
  readonly folder: string;
  /** A bare repository: `git push` to GitHub leads here. */
  readonly origin: string;
  readonly base: string;
  private readonly env: NodeJS.ProcessEnv;

  private constructor(base: string) {
    this.base = base;
    this.folder = path.join(base, 'deliveries');
    this.origin = path.join(base, 'origin.git');
    this.env = {
      ...process.env,
      PATH: `${commands(base)}${path.delimiter}${process.env.PATH}`,
      // git of its own, whatever the machine's says
      GIT_CONFIG_GLOBAL: path.join(base, 'gitconfig'),
      GIT_CONFIG_NOSYSTEM: '1',
      NO_COLOR: '1',
    };
  }

  static async make(files: Readonly<Record<string, string>>): Promise<Newcomer> {
    const one = new Newcomer(await mkdtemp(path.join(os.tmpdir(), 'modelgate-newcomer-')));
    await mkdir(commands(one.base), { recursive: true });
    const script = `#!/bin/sh\nexec '${process.execPath}' '${binary}' "$@"\n`;
    await writeFile(path.join(commands(one.base), 'modelgate'), script, { mode: 0o755 });
    await writeFile(
      path.join(one.base, 'gitconfig'),
      [
        ...['[user]', 'name = Newcomer', 'email = newcomer@example.com', '[init]', 'defaultBranch = main'],
        ...[`[url "${one.origin}"]`, `insteadOf = ${remote}`],
        '',
      ].join('\n'),
    );
    for (const [name, text] of Object.entries(files)) {
      await mkdir(path.dirname(path.join(one.folder, name)), { recursive: true });
      await writeFile(path.join(one.folder, name), text);
    }
    return one;
  }

  /** A command line in the repository, by `sh`. */
  async shell(command: string): Promise<Ran> {
    const child = spawn('sh', ['-c', command], {
      cwd: this.folder,
      env: this.env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', resolve);
    });
    return { code, stdout, stderr };
  }

  /** The one JSON object of a command, with its exit code. */
  async json(command: string): Promise<Record<string, unknown> & { exit: number | null }> {
    const { code, stdout } = await this.shell(`${command} --json`);
    return { ...(JSON.parse(stdout) as Record<string, unknown>), exit: code };
  }

  /** Starts `modelgate serve`; resolves with the line that says where it answers. */
  async serve(args: readonly string[]): Promise<{ line: string; port: number; stop(): Promise<void> }> {
    const child = spawn(process.execPath, [binary, 'serve', ...args], {
      cwd: this.folder,
      env: this.env,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
    let said = '';
    const line = await new Promise<string>((resolve, reject) => {
      child.stderr.setEncoding('utf8').on('data', (text: string) => {
        said += text;
        const found = /^.*Serving version .* at http.*$/m.exec(said)?.[0];
        if (found !== undefined) resolve(found.trim());
      });
      child.once('close', () => reject(new Error(`the server ended: ${said}`)));
    });
    return {
      line,
      port: Number(/:(\d+)\s*$/.exec(line)?.[1]),
      async stop() {
        child.kill('SIGTERM');
        await ended;
      },
    };
  }

  async close(): Promise<void> {
    await rm(this.base, { recursive: true, force: true, maxRetries: 3 });
  }
}
