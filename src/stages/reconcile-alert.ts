import { Name } from '../names.ts';
import type { Serving } from '../registry/reconcile.ts';
import { code, paragraphs, table, text } from '../report/markdown.ts';
import { oneLine } from '../report/plain.ts';

export interface ReconcileAlert {
  cause: 'serving_differs';
  /** Names the issue: the same model, environment and cause is the same issue. */
  fingerprint: string;
  title: string;
  /** Markdown for an issue; every value from outside is escaped. */
  body: string;
  action: 'investigate';
  reason: string;
}

const troubles = ['shadow', 'stale', 'missing'] as const;
const says: Record<(typeof troubles)[number], string> = {
  shadow: 'something serves that the registry does not name',
  stale: 'an earlier version still serves',
  missing: 'what should serve was not seen',
};
const rowsTold = 100;

export const isTrouble = ({ state }: Pick<Serving, 'state'>) =>
  (troubles as readonly string[]).includes(state);

/** One alert for each model and environment in which what serves is not what the registry says. */
export function reconcileAlerts(serving: readonly Serving[]): ReconcileAlert[] {
  const groups = new Map<string, Serving[]>();
  for (const one of serving.filter(isTrouble)) {
    // a model's name comes from a stranger: only a plain one becomes part of the marker
    const model = Name.safeParse(one.model ?? one.recorded?.model).data ?? 'unknown';
    const place = `${model}/${one.environment}`;
    groups.set(place, [...(groups.get(place) ?? []), one]);
  }
  return [...groups].map(([place, found]) => alert(place, found));
}

function alert(place: string, found: readonly Serving[]): ReconcileAlert {
  const [model = '', environment = ''] = place.split('/');
  const first = troubles.find((state) => found.some((one) => one.state === state)) ?? 'missing';
  const fingerprint = `${place}/serving_differs`;
  const reason = `${says[first]} in ${environment}`;
  return {
    cause: 'serving_differs',
    fingerprint,
    title: oneLine(`${model} in ${environment}: ${says[first]}`, 140),
    body: paragraphs(
      `<!-- modelgate:alert ${fingerprint} -->`,
      `Model ${code(model)} in ${code(environment)}: **${text(says[first])}**.`,
      table({
        columns: [
          { title: 'where' },
          { title: 'serves' },
          { title: 'recorded' },
          { title: 'state' },
          { title: 'why' },
        ],
        rows: found
          .slice(0, rowsTold)
          .map((one) => [
            text(one.where),
            text(servesWhat(one)),
            text(recordedWhat(one)),
            text(one.state),
            text(one.reason, 300),
          ]),
      }),
      found.length > rowsTold ? `${found.length - rowsTold} more.` : null,
      `Look at what runs there. If it should run, register and promote it; if not, stop it. ${code(`modelgate status ${model}`)} shows what the registry says, ${code('modelgate registry reconcile')} looks again.`,
    ),
    action: 'investigate',
    reason,
  };
}

function servesWhat({ model, version, digest }: Serving): string {
  if (model === null) return 'nothing';
  return [model, version === null ? null : `version ${version}`, digest === null ? null : digest.slice(0, 12)]
    .filter((part) => part !== null)
    .join(', ');
}

function recordedWhat({ recorded }: Serving): string {
  if (recorded === null) return 'nothing';
  return `version ${recorded.version}, ${recorded.digest.slice(0, 12)}, generation ${recorded.generation}`;
}
