import { z } from 'zod';

export const Problem = z.object({ key: z.string(), problem: z.string() });
export type Problem = z.infer<typeof Problem>;

/** So many are listed; all are counted. */
const listed = 1000;

/** What verify found, gathered on the way: it goes on after damage, to tell all of it. */
export class Findings {
  private readonly missingKeys = new Set<string>();
  private readonly badKeys = new Map<string, string>();

  missing(key: string): void {
    this.missingKeys.add(key);
  }

  /** The first problem of a key is the one that is told. */
  bad(key: string, problem: string): void {
    if (!this.badKeys.has(key)) this.badKeys.set(key, problem);
  }

  get any(): boolean {
    return this.missingKeys.size + this.badKeys.size > 0;
  }

  get missingList(): string[] {
    return [...this.missingKeys].slice(0, listed);
  }

  get badList(): Problem[] {
    return [...this.badKeys].slice(0, listed).map(([key, problem]) => ({ key, problem }));
  }
}
