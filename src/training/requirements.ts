import { UserError } from '../errors.ts';

export interface LockedRequirement {
  name: string;
  version: string;
  /** Only for some Pythons or platforms: it has a marker. */
  conditional?: true;
}

const limit = 5_000_000;
/**
 * Options that choose where or how pip looks; the hashes hold wherever a file comes from. One a line: pip heeds all that
 * stand in one, and `-r` behind another would take in a file that nobody else reads.
 */
const allowedOption =
  /^--(prefer-binary|(index-url|extra-index-url|find-links|only-binary|no-binary)(=|\s+)[^\s-]\S*)$/;
const pinned =
  /^([A-Za-z0-9][A-Za-z0-9._-]*)(\[[A-Za-z0-9,._ -]*\])?\s*==\s*([A-Za-z0-9][A-Za-z0-9._+!-]*)\s*(;.*)?$/;
/**
 * Python ends lines here too, and begins no comment behind a byte order mark: what stands there would be installed, and
 * seen by nobody.
 */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is sought
const otherLineEnd = /\r(?!\n)|[\v\f\x1c-\x1e\x85\u2028\u2029\ufeff]/;
/** pip reads the file in the encoding that one of its first two lines names: in some a comment holds line ends. */
const otherEncoding = /^(?:.*\n)?#.*coding[:=][^\S\n]*(?!(?:utf-?8|ascii)\s*(?:$|\n|-\*-))[-\w.]/i;

/**
 * Reads a requirements file as pip does (comments, line continuations) and refuses whatever is not
 * `name==version` with at least one sha256 hash: such an environment could differ from run to run.
 * Throws `environment_unpinned` with the line's number.
 */
export function parseLock(text: string, file: string): LockedRequirement[] {
  if (text.length > limit) throw unpinned('The file is longer than 5 MB', file, 1);
  if (otherEncoding.test(text)) throw unpinned('The file names an encoding that is not UTF-8', file, 1);
  const hidden = otherLineEnd.exec(text);
  if (hidden !== null) {
    const line = text.slice(0, hidden.index).split('\n').length;
    throw unpinned('The line holds a control character that pip takes otherwise', file, line);
  }
  const found: LockedRequirement[] = [];
  for (const { line, number } of logicalLines(text)) {
    if (allowedOption.test(line)) continue;
    if (line.startsWith('-')) throw unpinned(`${quoted(line)} is not allowed in a lock`, file, number);
    const [requirement = '', ...options] = line.split(/\s+--hash[= ]/);
    const match = pinned.exec(requirement.trim());
    if (match === null) throw unpinned(`${quoted(requirement)} is not pinned with ==`, file, number);
    if (options.length === 0) throw unpinned(`${quoted(requirement)} has no hash`, file, number);
    const wrong = options.find((hash) => !/^sha256:[0-9a-f]{64}\s*$/.test(hash));
    if (wrong !== undefined)
      throw unpinned(`${quoted(requirement)} has a hash that is not a sha256`, file, number);
    found.push({
      name: match[1]!,
      version: match[3]!,
      ...(match[4] === undefined ? {} : { conditional: true as const }),
    });
  }
  return found;
}

interface Line {
  line: string;
  /** Of its first physical line, counted from 1. */
  number: number;
}

function logicalLines(text: string): Line[] {
  const lines: Line[] = [];
  let parts: string[] = [];
  let number = 1;
  const end = () => {
    const line = parts.join(' ').trim();
    if (line !== '') lines.push({ line, number });
    parts = [];
  };
  for (const [index, raw] of text.split(/\r?\n/).entries()) {
    if (parts.length === 0) number = index + 1;
    const plain = raw.replace(/(^|\s)#.*$/, '').trim();
    parts.push(plain.replace(/\\$/, '').trim());
    if (!plain.endsWith('\\')) end();
  }
  end();
  return lines;
}

const quoted = (text: string) => JSON.stringify(text.trim().slice(0, 80));

function unpinned(what: string, file: string, line: number): UserError {
  return new UserError({
    code: 'environment_unpinned',
    message: `${what}.`,
    where: { file, line },
    fix: 'Lock the requirements with versions and hashes: uv pip compile --universal --generate-hashes requirements.in -o requirements.lock',
  });
}
