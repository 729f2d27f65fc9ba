import { formatCount } from '../gate/numbers.ts';
import type { Verdict } from '../outcome.ts';
import { oneLine } from '../report/plain.ts';
import type { DriftCheck } from './drift-checks.ts';
import type { BrokenModel, EnvironmentView, ModelView } from './read-model.ts';
import { currentCheck } from './states.ts';

/** A model's row of the overview. */
export interface ModelSummary {
  model: string;
  /** Why its log cannot be read; null where it can. */
  problem: string | null;
  environments: {
    name: string;
    /** Null where nothing served yet. */
    serving: { version: number; since: string; verdict: Verdict } | null;
    check: DriftCheck | null;
  }[];
  /** What somebody should look at, in whole sentences. */
  attention: string[];
}

export function summarise(view: ModelView | BrokenModel): ModelSummary {
  const { model } = view;
  if ('problem' in view)
    return { model, problem: view.problem, environments: [], attention: ['Its log cannot be read.'] };
  return {
    model,
    problem: null,
    environments: view.environments.map((one) => ({
      name: one.state.name,
      serving: servingOf(one),
      check: currentCheck(one),
    })),
    // the last environment matters most
    attention: [...view.environments].reverse().flatMap(attentionOf),
  };
}

function servingOf({ state, version }: EnvironmentView): ModelSummary['environments'][number]['serving'] {
  if (version === null || state.since === null) return null;
  return { version: version.version, since: state.since, verdict: version.verdict };
}

function attentionOf(environment: EnvironmentView): string[] {
  const { state, version, locked, waiting } = environment;
  const { name } = state;
  const check = currentCheck(environment);
  const found: string[] = [];
  if (check?.state === 'alert')
    found.push(
      check.drifted.length === 0
        ? `Monitoring raised an alert in ${name}.`
        : `Monitoring raised an alert in ${name}: ${columnsText(check)}.`,
    );
  if (version !== null && version.verdict !== 'pass')
    found.push(`Version ${version.version} serves in ${name}, and its gate did not pass.`);
  if (locked) found.push(`${capital(name)} is locked.`);
  if (waiting > 0)
    found.push(
      `${waiting === 1 ? 'A request' : `${formatCount(waiting)} requests`} for ${name} ${waiting === 1 ? 'waits' : 'wait'} for approval.`,
    );
  return found;
}

/** `a, b and 3 more moved` */
function columnsText({ drifted }: DriftCheck): string {
  const named = drifted.slice(0, 3).map((name) => oneLine(name, 60));
  const more = drifted.length - named.length;
  return `${named.join(', ')}${more > 0 ? ` and ${more} more` : ''} moved`;
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
