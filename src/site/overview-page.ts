import { formatCount, plural } from '../gate/numbers.ts';
import { type Html, html, page } from '../report/html.ts';
import { driftBadge, gateBadge } from './states.ts';
import { siteStyle } from './style.ts';
import type { ModelSummary } from './summary.ts';
import { dayText, momentText } from './words.ts';

/** Of the models that somebody should look at. */
const mostAttention = 20;

export interface Overview {
  models: readonly ModelSummary[];
  /** The environment that models are delivered to. */
  environment: string;
  now: Date;
  /** Models of the store that have no page, for there are too many. */
  left: number;
  /** Whether the store holds older drift checks than were looked at. */
  checksCut: boolean;
}

export const modelFile = (model: string): string => `models/${model}.html`;

/** The first page: what runs where, and what needs a look. */
export function overviewPage(overview: Overview): string {
  const { models, now, left, checksCut } = overview;
  return page({
    title: 'Models',
    style: siteStyle,
    body: html`<header><h1>Models</h1><p class="lead">${leadText(overview)}</p></header>${attention(models)}${
      models.length === 0
        ? null
        : html`<section><h2>What runs where</h2><ul class="models">${models.map(row)}</ul></section>`
    }<footer><p>As of ${momentText(now)} UTC.${left === 0 ? '' : ` ${plural(left, 'more model')} not shown.`}${checksCut ? ' Older drift checks were not read.' : ''}</p></footer>`,
  });
}

function leadText({ models, environment }: Overview): string {
  if (models.length === 0) return 'The store holds no model yet.';
  const deployed = models.filter(({ environments }) =>
    environments.some(({ name, serving }) => name === environment && serving !== null),
  ).length;
  const look = models.filter(({ attention }) => attention.length > 0).length;
  return `${plural(models.length, 'model')}, ${formatCount(deployed)} in ${environment}. ${
    look === 0 ? 'Nothing needs a look.' : `${formatCount(look)} ${look === 1 ? 'needs' : 'need'} a look.`
  }`;
}

function attention(models: readonly ModelSummary[]): Html | null {
  const some = models.filter(({ attention }) => attention.length > 0);
  if (some.length === 0) return null;
  const more = some.length - mostAttention;
  return html`<section><h2>Needs a look</h2><ol class="moved look">${some
    .slice(0, mostAttention)
    .map(
      ({ model, attention }) => html`<li>${link(model)}<span>${attention.join(' ')}</span></li>`,
    )}</ol>${more > 0 ? html`<p>${plural(more, 'more model')} below.</p>` : null}</section>`;
}

const link = (model: string): Html => html`<a class="name" href="${modelFile(model)}">${model}</a>`;

function row({ model, problem, environments }: ModelSummary): Html {
  return html`<li>${link(model)}<div>${
    problem !== null
      ? html`<p class="none">${problem}</p>`
      : environments.length === 0
        ? html`<p class="none">Nothing is deployed.</p>`
        : environments.map(environmentRow)
  }</div></li>`;
}

function environmentRow({ name, serving, check }: ModelSummary['environments'][number]): Html {
  if (serving === null)
    return html`<div class="env"><span class="where">${name}</span><span class="version">–</span></div>`;
  return html`<div class="env"><span class="where">${name}</span><span class="version">v${serving.version}</span><span class="since">${dayText(serving.since)}</span>${gateBadge(serving.verdict)}${driftBadge(check)}</div>`;
}
