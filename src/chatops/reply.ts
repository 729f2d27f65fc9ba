import { code, details as folded, link, type Markdown, paragraphs, table, text } from '../report/markdown.ts';
import { oneLine } from '../report/plain.ts';
import { isCommandName } from './command.ts';
import type { ReplyKey } from './reply-key.ts';
import { commandMarker, encodeRecord, type ReplyRecord } from './reply-record.ts';

/** In UTF-16 units. GitHub says 65,536; a marker that is cut off would let a second reply be written. */
export const longestReply = 60_000;

const states = {
  accepted: '👀 **Accepted**',
  started: '⏳ **Started**',
  done: '✅ **Done**',
  planned: '📝 **Planned**, nothing was done',
  refused: '⛔ **Refused**',
  failed: '❌ **Failed**',
} as const satisfies Record<ReplyRecord['decision'], string>;

/** Characters of each check's texts: as many as the reply has room for. */
const rooms = [400, 120, 40] as const;

/**
 * The one reply to a command, at any moment of its life: state, what was looked at with what to do, what it is about,
 * who asked, more Markdown that is escaped already, and the record for scripts. Every other text is a stranger's and
 * is shown as text. What does not fit is left out as a whole: tables, folds and fences are never cut open.
 */
export function renderReply(
  record: ReplyRecord,
  details: Markdown | null,
  key: ReplyKey | null = null,
): Markdown {
  const command = isCommandName(record.command) ? code(`/${record.command}`) : '';
  const state = [states[record.decision], command, reasonOf(record)].filter(Boolean).join(' ');
  const stored = folded('Record', storedRecord(record, key));
  const shown = (checks: Markdown | null, more: Markdown | null): Markdown =>
    paragraphs(
      commandMarker(record.comment),
      state,
      prose(record.summary, 1_000),
      checks,
      aboutLine(record),
      more,
      stored,
    );
  const left = 'More did not fit here.';
  for (const more of details === null ? [null] : [details, left])
    for (const room of rooms) {
      const whole = shown(checksTable(record, room), more);
      if (whole.length <= longestReply) return whole;
    }
  return shown(null, left);
}

function reasonOf({ decision, reason }: ReplyRecord): Markdown {
  return reason === null || reason === decision ? '' : `(${code(reason)})`;
}

function checksTable({ checks }: ReplyRecord, room: number): Markdown | null {
  if (checks.length === 0) return null;
  return table({
    columns: ['', 'check', 'found', 'what to do'].map((title) => ({ title })),
    rows: checks.map(({ name, ok, detail, fix }) => [
      ok === null ? '➖' : ok ? '✅' : '❌',
      text(name, 60),
      prose(detail, room),
      fix === null ? '' : prose(fix, room),
    ]),
  });
}

/**
 * A message as text; what stands in back-ticks is shown as code, so that a command can be copied out of it as it is.
 * Nothing else in it is markup, whoever wrote it.
 */
export function prose(message: string, limit: number): Markdown {
  const pieces = oneLine(message, limit).split('`');
  // a back-tick without a partner is one
  const open = pieces.length % 2 === 0 ? pieces.pop() : undefined;
  if (open !== undefined) pieces.push(`${pieces.pop()}\`${open}`);
  const shown = pieces.map((piece, index) => {
    if (piece.trim() === '') return piece;
    if (index % 2 === 1) return code(piece, limit);
    const [, before = '', inner = '', after = ''] = /^(\s*)(.*?)(\s*)$/s.exec(piece) ?? [];
    return `${before}${text(inner, limit)}${after}`;
  });
  return shown.join('') || text('');
}

/** What it is about, and where to look: `flights@4 · production · digest … · run · deployment · requested by alice`. */
function aboutLine({ operation, requested_by }: ReplyRecord): Markdown {
  const facts: Markdown[] = [];
  if (operation !== null) {
    const { inputs, model, environment, run, deployment } = operation;
    const version = inputs.to === undefined ? inputs.model : `${model}@${inputs.to}`;
    const subject = version ?? model;
    if (subject !== null && subject !== undefined) facts.push(code(subject, 100));
    if (environment !== null) facts.push(code(environment, 63));
    if (inputs.digest !== undefined) facts.push(`digest ${code(inputs.digest.slice(0, 12))}`);
    if (inputs.sha !== undefined) facts.push(`commit ${code(inputs.sha.slice(0, 40))}`);
    const repository = run === null ? null : repositoryOf(run);
    if (run !== null) facts.push(repository === null ? `run ${run.id}` : link(`run ${run.id}`, run.url));
    if (repository !== null && deployment !== null && environment !== null)
      facts.push(link('deployments', `${repository}/deployments/${encodeURIComponent(environment)}`));
  }
  return [...facts, `requested by ${text(requested_by, 100)}`].join(' · ');
}

/** The page of the repository that a run lies in; null for an address that is not that of the run. */
function repositoryOf({ id, url }: { id: number; url: string }): string | null {
  const [, repository, number] = /^(https?:\/\/[^/@]+\/[^/]+\/[^/]+)\/actions\/runs\/(\d+)$/.exec(url) ?? [];
  return repository !== undefined && Number(number) === id ? repository : null;
}

/** The record in at most half of the room: checks are shortened first, then left out. */
function storedRecord(record: ReplyRecord, key: ReplyKey | null): Markdown {
  const short = (limit: number): ReplyRecord['checks'] =>
    record.checks.map(({ name, ok, detail, fix }) => ({
      name: oneLine(name, 60),
      ok,
      detail: oneLine(detail, limit),
      fix: fix === null ? null : oneLine(fix, limit),
    }));
  const candidates = [record.checks, ...rooms.map(short), []];
  for (const checks of candidates) {
    const stored = encodeRecord({ ...record, checks }, key);
    if (stored.length <= longestReply / 2) return stored;
  }
  return encodeRecord({ ...record, checks: [], summary: oneLine(record.summary, 200) }, key);
}
