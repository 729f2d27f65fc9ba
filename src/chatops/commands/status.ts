import { type Drill, lastDrill, reportDrill } from '../../registry/drills.ts';
import { type Interventions, recentInterventions } from '../../registry/interventions.ts';
import { environmentOf } from '../../registry/state.ts';
import { describeEnvironment, type EnvironmentStatus } from '../../registry/status.ts';
import { code, type Markdown, paragraphs, table, text } from '../../report/markdown.ts';
import type { CommandResult } from '../context.ts';
import type { CommandOf, CommandRequest } from './handler.ts';
import { done } from './refusal.ts';
import { chooseModel, requireRules, subjectOf } from './target.ts';

/** Models of one reply, its characters, and names of those that are left out. */
const mostModels = 20;
const room = 40_000;
const mostNamed = 100;

/** What runs where, since when, on what it was trained, what holds it, and what a rollback would restore. */
export async function status(request: CommandRequest<CommandOf<'status'>>): Promise<CommandResult> {
  const { command, context, comment } = request;
  const subject = await subjectOf(context, comment);
  const named = command.model ?? subject.model;
  const names = named === null ? [...context.models.keys()].sort() : [chooseModel(context, named).name];
  const parts: Markdown[] = [];
  for (const name of names) {
    const part = await describeModel(request, name);
    if (parts.length > 0 && paragraphs(...parts, part).length > room) break;
    parts.push(part);
    if (parts.length === mostModels) break;
  }
  const many = names.length === 1 ? (names[0] ?? '') : `${names.length} models`;
  return done(`What runs of ${many}.`, {
    details: paragraphs(...parts, leftOut(names.slice(parts.length))),
  });
}

/** A reply ends with a whole model; the names of the others tell what to ask for. */
function leftOut(names: readonly string[]): Markdown | null {
  if (names.length === 0) return null;
  const list = names.slice(0, mostNamed).map((name) => code(name, 63));
  const more = names.length > mostNamed ? ` and ${names.length - mostNamed} more` : '';
  return `Not told here: ${list.join(', ')}${more}. ${code('/status MODEL')} tells one of them; ${code('modelgate status --all')} tells all.`;
}

async function describeModel(
  { context, command }: CommandRequest<CommandOf<'status'>>,
  name: string,
): Promise<Markdown> {
  const { model } = chooseModel(context, name);
  const { registry, config } = model;
  if (command.environment !== null) requireRules(context, model, command.environment);
  const state = await registry.state(name);
  const environments = config.environments
    .map((one) => one.name)
    .filter((one) => command.environment === null || one === command.environment);
  const now = context.now();
  const rows: Markdown[][] = [];
  for (const environment of environments) {
    const described = await describeEnvironment(registry.store, state, {
      environment: environmentOf(state, environment),
      now,
    });
    rows.push(rowOf(described));
  }
  const titles = [
    'environment',
    'version',
    'digest',
    'since',
    'by',
    'gate',
    'evaluation',
    'rollback to',
    'lock',
  ];
  const [month] = await recentInterventions(registry, state, now);
  return paragraphs(
    `**${text(name)}**`,
    table({ columns: titles.map((title) => ({ title })), rows }),
    month === undefined ? null : byHand(month),
    drillWords(lastDrill(state)),
  );
}

/** Whether the way back was tried. */
function drillWords(drill: Drill | null): Markdown {
  if (drill === null) return 'Last rollback drill: none.';
  const { environment, at, from, to, seconds } = reportDrill(drill);
  const end = seconds === null ? 'it has not returned' : `returned after ${Math.round(seconds)} s`;
  return `Last rollback drill: ${text(environment)} from ${from} to ${to}, ${text(minute(at))}, ${end}.`;
}

/** Fewer than one a month is the aim. */
function byHand({ month, count, classes }: Interventions): Markdown {
  const parts = Object.entries(classes).filter(([, times]) => times > 0);
  const which = parts.map(([name, times]) => `${name} ${times}`).join(', ');
  return `Moved by hand in ${month}: ${count}${which === '' ? '' : ` (${which})`}.`;
}

function rowOf(one: EnvironmentStatus): Markdown[] {
  const dash = '–';
  return [
    text(one.environment),
    one.version === null ? 'nothing' : String(one.version),
    one.manifest === null ? dash : code(one.manifest.slice(0, 12)),
    one.since === null ? dash : text(minute(one.since)),
    one.actor === null ? dash : text(one.actor.name, 40),
    one.verdict ?? dash,
    metricsOf(one),
    one.rollback_to === null ? dash : String(one.rollback_to),
    one.lock === null ? dash : lockWords(one.lock),
  ];
}

function lockWords({ owner, until, reason }: NonNullable<EnvironmentStatus['lock']>): Markdown {
  const end = until === null ? '' : ` until ${minute(until)}`;
  return text(`${owner}${end}${reason === null ? '' : `: ${reason}`}`, 200);
}

/** What its gate saw, at most five numbers. */
function metricsOf({ evaluation }: EnvironmentStatus): Markdown {
  const metrics = evaluation?.metrics;
  if (typeof metrics !== 'object' || metrics === null || Array.isArray(metrics)) return '–';
  const numbers = Object.entries(metrics).filter(([, value]) => typeof value === 'number');
  const shown = numbers.slice(0, 5).map(([name, value]) => `${name} ${Number(value).toPrecision(4)}`);
  return shown.length === 0 ? '–' : text(shown.join(', '), 300);
}

const minute = (moment: string): string => `${moment.slice(0, 16).replace('T', ' ')} UTC`;
