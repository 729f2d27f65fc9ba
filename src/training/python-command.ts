import { z } from 'zod';
import { UserError } from '../errors.ts';
import { parseJson } from '../json.ts';
import { type ProcessResult, runProcess } from './process.ts';

export const Interpreter = z.object({
  /** Path of the interpreter. */
  executable: z.string().min(1),
  /** e.g. 3.11.7 */
  version: z.string().regex(/^\d+\.\d+\.\d+/),
  implementation: z.string().max(50),
  /** e.g. linux-x86_64, with the C library where it matters. */
  platform: z.string().max(200),
  /** [major, minor] of pip, or null when it has none. */
  pip: z.tuple([z.number(), z.number()]).nullable(),
});
export type Interpreter = z.infer<typeof Interpreter>;

const ask = `
import json, platform, sys, sysconfig
try:
    import pip
    found = [int(part) for part in pip.__version__.split(".")[:2]]
except Exception:
    found = None
print(json.dumps({
    "executable": sys.executable, "version": platform.python_version(),
    "implementation": platform.python_implementation(),
    "platform": "-".join([sysconfig.get_platform(), *platform.libc_ver()]).strip("-"), "pip": found,
}))
`;

const oldest = [3, 10] as const;

/**
 * The first suitable Python (3.10 or newer): the one that the variable PYTHON names, else python3, python.
 * Throws `python_missing`, saying what was found instead.
 */
export async function findPython(env: Record<string, string>, signal: AbortSignal): Promise<Interpreter> {
  const named = process.env.PYTHON;
  const seen: string[] = [];
  for (const command of named === undefined || named === '' ? ['python3', 'python'] : [named]) {
    let result: ProcessResult;
    try {
      result = await runProcess({ command, args: ['-I', '-c', ask], cwd: '/', env, signal, timeout: 30_000 });
    } catch (error) {
      signal.throwIfAborted();
      seen.push(`${command}: ${error instanceof Error ? error.message : 'cannot be started'}`);
      continue;
    }
    const interpreter = parseAnswer(result.output);
    if (result.code !== 0 || interpreter === null) {
      seen.push(`${command}: ${lastLine(result.output) || 'does not answer'}`);
      continue;
    }
    const [major = 0, minor = 0] = interpreter.version.split('.').map(Number);
    if (major === oldest[0] && minor >= oldest[1]) return interpreter;
    seen.push(`${command}: Python ${interpreter.version}`);
  }
  throw new UserError({
    code: 'python_missing',
    message: `No Python ${oldest.join('.')} or newer was found (${seen.join('; ')}).`,
    where: named ? 'the variable PYTHON' : 'PATH',
    fix: 'Install Python 3.10 or newer with pip and venv, or set the variable PYTHON to its path.',
  });
}

function parseAnswer(output: string): Interpreter | null {
  const line = output.split('\n').find((text) => text.startsWith('{'));
  try {
    return Interpreter.parse(parseJson(line ?? ''));
  } catch {
    return null;
  }
}

export function lastLine(output: string): string {
  return output.trimEnd().split('\n').at(-1)?.trim().slice(0, 300) ?? '';
}
