import type { Workflows, WorkflowText } from './workflow-text.ts';

/** A call that GitHub refuses: no job of the caller starts. */
export interface BrokenCall {
  called: string;
  callers: string[];
  /** Goes on after the name of the called file. */
  problem: string;
  /** The called file is of somebody else: no workflow was meant to call it. */
  foreign: boolean;
}

/** The callers of each workflow that others call. */
export function callsOf(files: Workflows): Map<string, string[]> {
  const callers = new Map<string, string[]>();
  for (const [file, { read }] of files) {
    for (const called of new Set(read?.calls.map((call) => call.file)))
      callers.set(called, [...(callers.get(called) ?? []), file]);
  }
  return callers;
}

/** The calls among these workflows that cannot be carried out. What is called and not among them is left out. */
export function brokenCalls(files: Workflows): BrokenCall[] {
  const found = new Map<string, BrokenCall>();
  for (const [caller, { read }] of files) {
    for (const { file, given } of read?.calls ?? []) {
      const called = files.get(file);
      const problem = called === undefined ? null : problemOf(called.read, given);
      if (problem === null) continue;
      const key = `${file} ${problem}`;
      const one = found.get(key) ?? {
        ...{ called: file, callers: [], problem },
        foreign: (called?.read?.inputs ?? null) === null,
      };
      if (!one.callers.includes(caller)) one.callers.push(caller);
      found.set(key, one);
    }
  }
  return [...found.values()];
}

function problemOf(called: WorkflowText | null, given: readonly string[]): string | null {
  if (called === null) return 'cannot be read as a workflow';
  const { inputs } = called;
  if (inputs === null) return 'cannot be called: `workflow_call` is not among its triggers';
  const unknown = given.filter((name) => !inputs.has(name));
  if (unknown.length > 0) return `does not take the input ${unknown.slice(0, 10).join(', ')}`;
  const lacking = [...inputs].filter(([name, required]) => required && !given.includes(name));
  if (lacking.length === 0) return null;
  const names = lacking.map(([name]) => name);
  return `asks for the input ${names.slice(0, 10).join(', ')}, which is not given`;
}

export const brokenText = ({ called, callers, problem }: BrokenCall): string =>
  `${called}, which ${inWords(callers)} ${verb(callers, 'call')}, ${problem}.`;

export function brokenFix({ called, callers, foreign }: BrokenCall): string {
  return foreign
    ? `Give ${called} another name, then run modelgate init: it writes the one that is called.`
    : `Take all of them from one release: move ${inWords([called, ...callers])} away, run modelgate init, and make your own changes in them again.`;
}

/** `a.yml, b.yml and c.yml`. */
export function inWords(names: readonly string[]): string {
  return names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
}

/** A verb after that many names. */
export const verb = (names: readonly unknown[], plural: string): string =>
  names.length === 1 ? `${plural}s` : plural;
