import { isDrill } from '../registry/drills.ts';
import { interventionOf } from '../registry/interventions.ts';
import { figure, fold, type Html, html, htmlTable } from '../report/html.ts';
import { type TimelineSpan, timeline } from '../report/svg-timeline.ts';
import type { PageOptions } from './model-page.ts';
import type { ModelView, MoveEntry } from './read-model.ts';
import { momentText } from './words.ts';

/** The timeline's length, and its bars of one environment. */
const mostDays = 365;
const mostSpans = 80;
const mostMoves = 40;

/** What served where, as a picture and as a list. */
export function historySection(view: ModelView, options: PageOptions): Html | null {
  const { moves, environments } = view;
  if (moves.length === 0) return null;
  const until = options.now.getTime();
  const lanes = environments.map(({ state: { name } }) => ({
    label: name,
    spans: spansOf(
      moves.filter(({ environment }) => environment === name),
      until,
    ),
  }));
  const starts = lanes.flatMap(({ spans }) => spans.map(({ from }) => from));
  // a clock ahead of ours may have written the newest entries
  const end = Math.max(until, ...lanes.flatMap(({ spans }) => spans.map((span) => span.until)));
  const from = Math.max(Math.min(...starts), end - mostDays * 86_400_000);
  const shown = lanes.map((lane) => ({ ...lane, spans: lane.spans.filter((span) => span.until > from) }));
  return html`<section><h2>What served when</h2>${figure(
    (width) =>
      timeline({ title: 'Versions by environment over time', lanes: shown, from, until: end, width }),
    'A bar is a version for as long as it served; the last one serves now. A dashed edge marks a version that was rolled back.',
  )}${moveList(moves, options)}</section>`;
}

/** From each move of an environment to its next one. */
export function spansOf(moves: readonly MoveEntry[], now: number): TimelineSpan[] {
  return moves
    .map((move, index): TimelineSpan => {
      const next = moves[index + 1];
      const from = Date.parse(move.at);
      const until = Math.max(from, next === undefined ? now : Date.parse(next.at));
      const undone = next?.type === 'rollback' && !isDrill(next);
      const end = next === undefined ? 'now' : momentText(next.at);
      return {
        ...{ from, until, label: `v${move.version}` },
        title: `Version ${move.version}, ${momentText(move.at)} to ${end}${undone ? ', rolled back' : ''}`,
        kind: next === undefined ? 'now' : undone ? 'undone' : 'past',
      };
    })
    .slice(-mostSpans);
}

function moveList(moves: readonly MoveEntry[], { people }: PageOptions): Html {
  const newest = moves.slice(-mostMoves).reverse();
  const columns = [
    { title: 'When, UTC' },
    { title: 'Environment' },
    { title: 'Move' },
    { title: 'Version' },
    { title: people ? 'Who' : 'How' },
    ...(people ? [{ title: 'Why' }] : []),
  ];
  const rows = newest.map((move) => [
    html`<span class="whole">${momentText(move.at)}</span>`,
    move.environment,
    moveText(move),
    html`<span class="whole">${move.from === null ? '' : `${move.from} → `}${move.version}</span>`,
    people ? move.actor.name : howText(move),
    ...(people ? [reasonOf(move)] : []),
  ]);
  const title = newest.length < moves.length ? `The newest ${newest.length} moves` : 'All moves';
  return fold(title, htmlTable({ columns, rows }));
}

function moveText(move: MoveEntry): string {
  if (isDrill(move)) return 'Rollback drill';
  if (move.type === 'rollback') return 'Rolled back';
  return move.override === undefined ? 'Promoted' : 'Promoted past the gate';
}

function howText(move: MoveEntry): string {
  return interventionOf(move) === null ? 'by the pipeline' : 'by hand';
}

function reasonOf(move: MoveEntry): string | null {
  const override = move.type === 'promote' ? move.override?.reason : undefined;
  return override ?? move.reason ?? null;
}
