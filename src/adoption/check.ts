export type Level = 0 | 1 | 2;

/** One thing that a repository has or lacks. */
export interface SetupCheck {
  check: string;
  /** The level that cannot be reached without it: see docs/start.md. */
  level: Level;
  /** `warn`: it works, and a person should look. */
  verdict: 'ok' | 'warn' | 'missing';
  /** False: nobody could look, so nothing is known. */
  looked: boolean;
  /** Whether production would stop, or stand unguarded, without it. */
  needed: boolean;
  /** What was seen. */
  detail: string;
  /** What to do; null where nothing is to be done. */
  fix: string | null;
}

interface Of {
  check: string;
  level: Level;
  needed?: boolean;
}

export function ok(of: Of, detail: string): SetupCheck {
  return { ...of, needed: of.needed ?? false, verdict: 'ok', looked: true, detail, fix: null };
}

export function warn(of: Of, detail: string, fix: string): SetupCheck {
  return { ...of, needed: of.needed ?? false, verdict: 'warn', looked: true, detail, fix };
}

export function missing(of: Of, detail: string, fix: string): SetupCheck {
  return { ...of, needed: of.needed ?? false, verdict: 'missing', looked: true, detail, fix };
}

export function notLooked(of: Of, why: string, fix: string): SetupCheck {
  return {
    ...of,
    needed: of.needed ?? false,
    verdict: 'warn',
    looked: false,
    detail: `Not looked at: ${why}.`,
    fix,
  };
}

/**
 * The maturity level after Google's "MLOps: Continuous delivery and automation pipelines in machine learning": 0 by
 * hand, 1 the pipeline runs by itself, 2 its change and delivery do, too. A level is reached when nothing that it or a
 * lower one needs is missing. What nobody looked at does not count for it; `possible` takes it for given.
 */
export function maturity(checks: readonly SetupCheck[]): { level: Level; possible: Level } {
  const reached = (met: (one: SetupCheck) => boolean): Level => {
    const upTo = (level: Level) => checks.every((one) => one.level > level || met(one));
    if (!upTo(0) || !upTo(1)) return 0;
    return upTo(2) ? 2 : 1;
  };
  const there = ({ verdict }: SetupCheck) => verdict !== 'missing';
  return { level: reached((one) => there(one) && one.looked), possible: reached(there) };
}
