import { formatPercent, plural } from '../gate/numbers.ts';
import type { DeliveryFigures, DeliveryMetrics } from '../registry/delivery-metrics.ts';
import { InterventionClass } from '../registry/interventions.ts';
import { fold, type Html, html, htmlTable } from '../report/html.ts';
import { meanText, monthText, waitText } from './words.ts';

/** The pipeline's own figures for the model. */
export function deliverySection(delivery: DeliveryMetrics): Html | null {
  const { months, whole, environment } = delivery;
  const [newest, oldest] = [months[0], months.at(-1)];
  if (newest === undefined || oldest === undefined) return null;
  const span =
    months.length === 1
      ? monthText(newest.month)
      : `${monthText(oldest.month)} to ${monthText(newest.month)}`;
  return html`<section><h2>Delivery</h2><p>To ${environment}, ${span}, the current month so far.</p><dl class="facts figures">${[
    figureOf('Deployments a month', meanText(delivery.deployments_per_month), `${whole.deployments} in all`),
    figureOf('Lead time, median', waitText(whole.lead_time), whole.lead_time.why ?? leadNote(whole)),
    figureOf('Change failure rate', percent(whole.change_failure.share), ofText(whole.change_failure)),
    figureOf(
      'Time to restore, median',
      waitText(whole.time_to_restore),
      whole.time_to_restore.why ?? restoreNote(whole),
    ),
    figureOf('By hand a month', meanText(delivery.interventions_per_month), handNote(whole)),
    figureOf('Gate overrides', percent(whole.override.share), ofText(whole.override)),
    figureOf('False blocks', percent(whole.false_block.share), ofText(whole.false_block)),
  ]}</dl>${fold('Month by month', byMonth(delivery))}${fold('How these are counted', terms(environment))}</section>`;
}

function figureOf(title: string, value: string | null, note: string): Html {
  return html`<div><dt>${title}</dt><dd class="${value === null ? 'missing' : ''}">${value ?? '–'}<span class="under">${note}</span></dd></div>`;
}

const percent = (share: number | null): string | null => (share === null ? null : formatPercent(share));

function ofText({ count, of, why }: DeliveryFigures['override']): string {
  return why ?? `${count} of ${of}`;
}

function leadNote({ lead_time: { count, unknown, by_second_sign } }: DeliveryFigures): string {
  const begins =
    by_second_sign === 0
      ? 'from the end of training'
      : by_second_sign === count
        ? 'from registration'
        : `${by_second_sign} of ${count} from registration`;
  return `${begins}${unknownText(unknown)}`;
}

function restoreNote({ time_to_restore: { count, unknown, by_second_sign } }: DeliveryFigures): string {
  const begins =
    by_second_sign === 0
      ? 'from the alarm'
      : by_second_sign === count
        ? 'from the promotion'
        : `${count - by_second_sign} of ${count} from the alarm`;
  return `${begins}${unknownText(unknown)}`;
}

function handNote(whole: DeliveryFigures): string {
  return ['target below 1', ...(whole.interventions.count === 0 ? [] : [classText(whole)])].join('; ');
}

/** `2 promotions, 1 rollback` */
function classText({ interventions: { classes } }: DeliveryFigures): string {
  return InterventionClass.options
    .filter((kind) => classes[kind] > 0)
    .map((kind) => plural(classes[kind], kind))
    .join(', ');
}

const unknownText = (unknown: number): string => (unknown === 0 ? '' : `; ${unknown} not known`);

function byMonth({ months }: DeliveryMetrics): Html {
  const number = (title: string) => ({ title, number: true });
  return htmlTable({
    columns: [
      { title: 'Month' },
      number('Deployments'),
      number('Lead time'),
      number('Failed'),
      number('Restored in'),
      number('By hand'),
      number('Overrides'),
      number('False blocks'),
    ],
    rows: months.map((one) => [
      html`<span class="whole">${monthText(one.month)}</span>`,
      one.deployments,
      waitText(one.lead_time),
      partText(one.change_failure),
      waitText(one.time_to_restore),
      html`${one.interventions.count}<span class="under">${classText(one)}</span>`,
      partText(one.override),
      partText(one.false_block),
    ]),
  });
}

const partText = ({ count, of }: DeliveryFigures['override']) => (of === 0 ? null : `${count} of ${of}`);

/** The short form of the definitions in docs/site.md. */
function terms(environment: string): Html {
  return html`<dl class="terms">${[
    ['Deployments', `Promotions to ${environment}.`],
    [
      'Lead time',
      `From the end of training, or else the registration, to the first promotion of a package to ${environment}.`,
    ],
    [
      'Change failure rate',
      `Promotions to ${environment} that a rollback undid, of all in the month of the promotion. Those of this month may still fail.`,
    ],
    [
      'Time to restore',
      'From the first of the alarms that stood, or else from the promotion, to the rollback.',
    ],
    ['By hand', 'Promotions, overrides and rollbacks in any environment that a person asked for.'],
    ['Gate overrides', 'Promotions past an undecided gate, of all promotions.'],
    [
      'False blocks',
      'Versions that the gate blocked and whose package was overridden, or passed later, and was not rolled back; of all that it blocked.',
    ],
  ].map(
    ([term, text]) => html`<dt>${term}</dt><dd>${text}</dd>`,
  )}</dl><p>Months are in UTC. Rollback drills count nowhere. A dash: there is nothing to count.</p>`;
}
