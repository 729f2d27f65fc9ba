import { z } from 'zod';
import { UserError } from '../errors.ts';

export const Problem = z.object({ key: z.string(), problem: z.string() });
export type Problem = z.infer<typeof Problem>;

/** So many are kept and listed: a store full of garbage must not fill the memory. */
const listed = 1000;
/** So many reads may fail for the store's sake before we take it for unreachable. */
const patience = 10;

/** What verify found, gathered on the way: it goes on after damage, to tell all of it. */
export class Findings {
  private readonly missingKeys = new Set<string>();
  private readonly badKeys = new Map<string, string>();
  private readonly unread = new Map<string, UserError>();

  missing(key: string): void {
    if (this.missingKeys.size < listed) this.missingKeys.add(shown(key));
  }

  /** The first problem of a key is the one that is told. */
  bad(key: string, problem: string): void {
    const name = shown(key);
    if (this.badKeys.size < listed && !this.badKeys.has(name)) this.badKeys.set(name, problem);
  }

  /**
   * A read failed. What stands there is bad, unless the store itself could not be reached: then nobody knows.
   * Throws the store's error when that happens again and again.
   */
  failed(key: string, error: unknown): void {
    if (!isUnavailable(error)) {
      this.bad(key, reasonOf(error));
      return;
    }
    this.unread.set(shown(key), error);
    if (this.unread.size >= patience) throw error;
  }

  get any(): boolean {
    return this.missingKeys.size + this.badKeys.size > 0;
  }

  get missingList(): string[] {
    return [...this.missingKeys];
  }

  get badList(): Problem[] {
    return [...this.badKeys].map(([key, problem]) => ({ key, problem }));
  }

  /** Keys that could not be read because the store could not, and why. */
  get unreadList(): Problem[] {
    return [...this.unread].map(([key, error]) => ({ key, problem: reasonOf(error) }));
  }
}

export function isUnavailable(error: unknown): error is UserError {
  return error instanceof UserError && error.code === 'storage_unavailable';
}

export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** A key of a store is plain; what else a folder may hold is shown without what a terminal would obey. */
function shown(key: string): string {
  return key.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '\uFFFD').slice(0, 500);
}
