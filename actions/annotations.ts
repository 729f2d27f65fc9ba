import path from 'node:path';
import type { Outcome } from '../src/outcome.ts';

/** An annotation on a line of a file of the repository. Lines and columns count from 1. */
export interface Annotation {
  level: 'error' | 'warning';
  message: string;
  title: string;
  /** From the workspace's root; undefined: on the run as a whole. */
  file?: string;
  line?: number;
  column?: number;
}

/** GitHub shows ten errors and ten warnings a step: the rest would be dropped in silence. */
export const annotationLimit = 10;

/** `file`, `file:line` or `file:line:column`, with the key behind a blank: what `describeWhere` writes. */
export function parseWhere(where: string): { file: string; line?: number; column?: number } | null {
  const match = /^(?<file>[^\n]+?)(?::(?<line>\d{1,9})(?::(?<column>\d{1,9}))?)?(?: [^\n]*)?$/.exec(where);
  const file = match?.groups?.file;
  if (file === undefined) return null;
  const { line, column } = match?.groups ?? {};
  return {
    file,
    ...(line === undefined ? {} : { line: Number(line) }),
    ...(column === undefined ? {} : { column: Number(column) }),
  };
}

/** The place of an annotation, when it is a file inside the workspace. */
export function placeIn(
  workspace: string,
  where: string | null,
): Pick<Annotation, 'file' | 'line' | 'column'> {
  const parsed = where === null ? null : parseWhere(where);
  if (parsed === null || parsed.line === undefined) return {};
  const relative = path.relative(workspace, path.resolve(parsed.file));
  if (relative === '' || relative.startsWith('..') || path.isAbsolute(relative)) return {};
  return { ...parsed, file: relative.split(path.sep).join('/') };
}

/** The annotation of a failed outcome: its error, else its verdict. Null when there is nothing to say. */
export function outcomeAnnotation(
  outcome: Pick<Outcome, 'stage' | 'verdict' | 'reason_code' | 'summary' | 'error'>,
  workspace: string,
): Annotation | null {
  if (outcome.verdict === 'pass') return null;
  const { error } = outcome;
  const place = placeIn(workspace, error?.where ?? null);
  const elsewhere = place.file === undefined && error?.where ? `${error.where}: ` : '';
  return {
    level: outcome.verdict === 'inconclusive' ? 'warning' : 'error',
    title: `ModelGate ${outcome.stage}: ${outcome.reason_code}`,
    message: error === undefined ? outcome.summary : `${elsewhere}${error.message} ${error.fix}`,
    ...place,
  };
}
