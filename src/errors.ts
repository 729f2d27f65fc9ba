import { type Code, codes, type FailureClass } from './codes.ts';
import { visible } from './visible.ts';

/** Where a user can look: a file with line and column, a configuration key, a digest, a URL. */
export interface Where {
  file?: string;
  line?: number;
  column?: number;
  key?: string;
}

export interface UserErrorDetails {
  code: Code;
  /** What is wrong, in one sentence. */
  message: string;
  where?: Where | string;
  /** What to do about it, in one sentence. */
  fix: string;
  cause?: unknown;
}

/**
 * Something that the user can mend: exit code 1. Anything else that is thrown is ours: exit code 70.
 */
export class UserError extends Error {
  override readonly name = 'UserError';
  readonly code: Code;
  readonly where: Where | string | undefined;
  readonly fix: string;

  constructor(details: UserErrorDetails) {
    super(details.message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = details.code;
    this.where = details.where;
    this.fix = details.fix;
  }

  get failureClass(): FailureClass {
    return codes[this.code].class;
  }
}

export interface ErrorRecord {
  code: string;
  message: string;
  where: string | null;
  fix: string;
}

export function describeWhere(where: Where | string | undefined): string | null {
  if (where === undefined) return null;
  if (typeof where === 'string') return where;
  const place = [where.file, where.line, where.column].filter((part) => part !== undefined).join(':');
  return [place, where.key].filter((part) => part !== undefined && part !== '').join(' ') || null;
}

function visiblePlace(where: UserError['where']): string | null {
  const place = describeWhere(where);
  return place === null ? null : visible(place);
}

/** The JSON form of any thrown value, the user's or ours. */
export function errorRecord(error: unknown): ErrorRecord {
  if (error instanceof UserError) {
    return {
      code: error.code,
      message: visible(error.message),
      where: visiblePlace(error.where),
      fix: visible(error.fix),
    };
  }
  const message = error instanceof Error ? error.message : String(error);
  return {
    code: 'internal',
    message,
    where: null,
    fix: 'This is a fault of ModelGate: run again with --verbose and report the output.',
  };
}

/** Whether `error` is a Node system error with this code, e.g. `hasCode(error, 'ENOENT')`. */
export function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}

/** Whether a system error says that the path names no file that could be read. */
export function namesNoFile(error: unknown): boolean {
  return ['ENOENT', 'ENOTDIR', 'EISDIR', 'ENAMETOOLONG', 'ELOOP'].some((code) => hasCode(error, code));
}

/**
 * What to tell of anything that was thrown: after a signal that the work was stopped, whatever broke then; a disk
 * or folder that cannot be used; everything else as it is, ours included.
 */
export function asTold(error: unknown, { signal, where }: { signal: AbortSignal; where: string }): unknown {
  if (!signal.aborted) return asStorageError(error, pathOf(error) ?? where);
  return new UserError({
    code: 'interrupted',
    message: 'Stopped before the end.',
    where,
    fix: 'Run the same command again: finished stages are read back.',
    cause: error,
  });
}

/** The path that a system error names. */
function pathOf(error: unknown): string | null {
  return error instanceof Error && 'path' in error && typeof error.path === 'string' ? error.path : null;
}

/** Turns a full disk, a read-only folder or missing rights into the user's error; others pass unchanged. */
export function asStorageError(error: unknown, where: string): unknown {
  for (const [code, what, fix] of [
    ['ENOSPC', 'The disk is full', 'Free some space and run the same command again.'],
    ['EDQUOT', 'The disk quota is used up', 'Free some space and run the same command again.'],
    ['EROFS', 'The file system is read-only', 'Choose a writable folder with --store.'],
    [
      'EACCES',
      'No permission to write',
      'Give this user write permission, or choose another folder with --store.',
    ],
    ['EMFILE', 'Too many files are open', 'Raise the limit of open files (ulimit -n) and run again.'],
    ['EIO', 'The disk reports an input/output error', 'Check the disk, then run the same command again.'],
  ] as const) {
    if (hasCode(error, code)) {
      return new UserError({
        code: 'storage_unavailable',
        message: `${what} (${code}).`,
        where,
        fix,
        cause: error,
      });
    }
  }
  return error;
}
