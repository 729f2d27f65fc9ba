import { isMap, isNode, isPair, LineCounter, parseDocument } from 'yaml';
import type { z } from 'zod';
import type { Code } from './codes.ts';
import { UserError, type Where } from './errors.ts';
import { suggest } from './suggest.ts';

const maximumBytes = 64 * 1024;
const maximumNesting = 32;

export type KeyPath = readonly PropertyKey[];

export interface YamlFile {
  value: unknown;
  /** Where a value stands, or the nearest enclosing one that is there. `key` points at the key itself. */
  locate(path: KeyPath): Where;
  has(path: KeyPath): boolean;
}

/**
 * Parses a YAML file from a stranger: bounded in size, nesting and aliases before any parser sees it. Throws
 * a `UserError` with line and column.
 */
export function parseYaml(text: string, file: string, code: Code): YamlFile {
  if (Buffer.byteLength(text) > maximumBytes) {
    throw new UserError({
      code,
      message: `The file is larger than ${maximumBytes / 1024} KiB.`,
      where: { file },
      fix: 'Split it into smaller files.',
    });
  }
  refuseDeepNesting(text, file, code);
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: true });
  const problem = document.errors[0];
  if (problem !== undefined) {
    const { line, col } = lines.linePos(problem.pos[0]);
    throw new UserError({
      code,
      message: `Not valid YAML: ${problem.message}`,
      where: { file, line, column: col },
      fix: 'Mend the YAML at this place; indentation and quotes are the usual causes.',
    });
  }
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: 50 });
  } catch (error) {
    throw new UserError({
      code,
      message: `Not valid YAML: ${error instanceof Error ? error.message : String(error)}`,
      where: { file },
      fix: 'Write the values out instead of using so many aliases.',
    });
  }

  /** Offset of a value: of its key where it has one, since that is where a person looks. */
  const offset = (path: KeyPath): number | null => {
    if (path.length === 0) return isNode(document.contents) ? (document.contents.range?.[0] ?? 0) : 0;
    const parent = document.getIn(path.slice(0, -1), true);
    if (isMap(parent)) {
      const last = path.at(-1);
      const pair = parent.items.find(
        (item) => isPair(item) && isNode(item.key) && String(item.key) === String(last),
      );
      if (pair !== undefined && isNode(pair.key)) return pair.key.range?.[0] ?? null;
      return null;
    }
    const node = document.getIn(path, true);
    return isNode(node) ? (node.range?.[0] ?? null) : null;
  };

  return {
    value,
    has: (path) => document.hasIn(path),
    locate(path) {
      for (let length = path.length; length >= 0; length--) {
        const at = offset(path.slice(0, length));
        if (at === null) continue;
        const { line, col } = lines.linePos(at);
        return { file, line, column: col, ...(path.length === 0 ? {} : { key: path.map(String).join('.') }) };
      }
      return { file };
    },
  };
}

function refuseDeepNesting(text: string, file: string, code: Code): void {
  let depth = 0;
  let line = 1;
  for (const character of text) {
    if (character === '\n') line++;
    else if (character === '[' || character === '{') depth++;
    else if ((character === ']' || character === '}') && depth > 0) depth--;
    if (depth > maximumNesting) break;
  }
  const indented = text.split('\n').findIndex((row) => /^ {120}|^(\s*- ){20}/.test(row));
  if (depth <= maximumNesting && indented < 0) return;
  throw new UserError({
    code,
    message: `Values are nested more than ${maximumNesting} deep.`,
    where: { file, line: depth > maximumNesting ? line : indented + 1 },
    fix: 'Write it flatter.',
  });
}

/** The first few problems that a schema finds, as one UserError with the place of the first. */
export function schemaError(options: {
  error: z.ZodError;
  locate: (path: KeyPath) => Where;
  code: Code;
  fix: string;
}): UserError {
  const problems = options.error.issues.flatMap((issue) => flatten(issue, []));
  const first = problems[0] ?? { path: [], message: 'not valid' };
  const told = problems.slice(0, 5).map(({ path, message }) => {
    const at = options.locate(path);
    const place = at.line === undefined ? '' : ` (line ${at.line})`;
    return `${path.length === 0 ? 'the file' : path.map(String).join('.')}: ${message}${place}`;
  });
  const more = problems.length > told.length ? `; and ${problems.length - told.length} more` : '';
  return new UserError({
    code: options.code,
    message: `${told.join('; ')}${more}`,
    where: options.locate(first.path),
    fix: options.fix,
  });
}

interface Problem {
  path: PropertyKey[];
  message: string;
}

function flatten(issue: z.core.$ZodIssue, prefix: readonly PropertyKey[]): Problem[] {
  const path = [...prefix, ...issue.path];
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({ path: [...path, key], message: 'unknown key' }));
  }
  if (issue.code === 'invalid_union' && issue.errors.length > 0) {
    // The branch that got furthest is the one that was meant.
    const branches = issue.errors.map((errors) => errors.flatMap((error) => flatten(error, path)));
    const furthest = branches.toSorted((a, b) => depth(b) - depth(a) || a.length - b.length)[0];
    if (furthest !== undefined && furthest.length > 0) return furthest;
  }
  return [{ path, message: issue.message.charAt(0).toLowerCase() + issue.message.slice(1) }];
}

function depth(problems: readonly Problem[]): number {
  return Math.max(0, ...problems.map((problem) => problem.path.length));
}

/** The message's addition for an unknown name: the nearest known one, if any is near. */
export function didYouMean(name: string, known: readonly string[]): string {
  const near = suggest(name, known);
  return near === null ? '' : ` Did you mean ${JSON.stringify(near)}?`;
}
