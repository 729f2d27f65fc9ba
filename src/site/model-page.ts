import { plural } from '../gate/numbers.ts';
import { badge, type Html, html, page } from '../report/html.ts';
import { deliverySection } from './delivery-section.ts';
import { driftSection } from './drift-section.ts';
import { drillSection } from './drill-section.ts';
import { historySection } from './history-section.ts';
import type { BrokenModel, EnvironmentView, ModelView } from './read-model.ts';
import { currentCheck, driftBadge, gateBadge } from './states.ts';
import { siteStyle } from './style.ts';
import { versionsSection } from './versions-section.ts';
import { dayText, momentText } from './words.ts';

export interface PageOptions {
  now: Date;
  /** The environment that models are delivered to. */
  environment: string;
  /** Whether the page names who did what, and the reasons that they gave. */
  people: boolean;
}

/** The page of one model. */
export function modelPage(view: ModelView | BrokenModel, options: PageOptions): string {
  const { model } = view;
  const crumb = html`<p class="crumb"><a href="../index.html">← All models</a></p>`;
  return page({
    title: model,
    style: siteStyle,
    body:
      'problem' in view
        ? html`<header>${crumb}<h1>${model}</h1><p class="lead">Its log cannot be read: ${view.problem}</p></header><footer>${asOf(options)}</footer>`
        : html`<header>${crumb}<h1>${model}</h1><p class="lead">${leadText(view, options)}</p>${states(view, options)}</header>${historySection(view, options)}${driftSection(view)}${versionsSection(view)}${deliverySection(view.delivery)}${drillSection(view)}${footer(view, options)}`,
  });
}

function leadText({ environments, state }: ModelView, { environment }: PageOptions): string {
  const { state: main } = environments.find((one) => one.state.name === environment) ?? {};
  const versions = plural(state.versions.length, 'version');
  return main?.version == null || main.since === null
    ? `Nothing serves in ${environment}. ${versions} so far.`
    : `Version ${main.version} serves in ${environment} since ${dayText(main.since)}. ${versions} so far.`;
}

function states({ environments }: ModelView, options: PageOptions): Html | null {
  if (environments.length === 0) return null;
  return html`<ul class="state">${environments.map((one) => html`<li>${stateOf(one, options)}</li>`)}</ul>`;
}

function stateOf(environment: EnvironmentView, { people }: PageOptions): Html {
  const { state, version, rollbackTo, locked, waiting } = environment;
  const by = people && state.actor !== null ? ` by ${state.actor.name}` : '';
  const check = currentCheck(environment);
  const notes = [
    ...(state.since === null ? [] : [`Since ${momentText(state.since)} UTC${by}.`]),
    ...(check === null ? [] : [`Checked up to ${dayText(check.until)}.`]),
    ...(rollbackTo === null ? [] : [`A rollback restores version ${rollbackTo}.`]),
    ...(waiting === 0 ? [] : [`${plural(waiting, 'request')} for approval.`]),
  ];
  return html`<p class="where">${state.name}</p><p class="version">${
    version === null ? 'Nothing yet' : `Version ${version.version}`
  }</p>${
    version === null
      ? null
      : html`<p class="badges">${gateBadge(version.verdict)}${driftBadge(check)}${locked ? badge('warn', 'Locked') : null}</p>`
  }<p class="since">${notes.join(' ')}</p>`;
}

const asOf = ({ now }: PageOptions): Html => html`<p>As of ${momentText(now)} UTC.</p>`;

function footer({ state, cut }: ModelView, options: PageOptions): Html {
  return html`<footer>${asOf(options)}<p>From the model’s log up to entry ${state.seq}, sha256 <code>${state.head ?? ''}</code>.${
    cut ? ' Its oldest entries were not read: history and figures begin later.' : ''
  }</p></footer>`;
}
