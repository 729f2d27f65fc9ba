import type { Verdict } from '../outcome.ts';
import { badge, type Html, html, type Tone } from '../report/html.ts';
import type { DriftCheck, DriftState } from './drift-checks.ts';
import type { EnvironmentView } from './read-model.ts';

const gateWords: Record<Verdict, string> = {
  pass: 'Gate passed',
  fail: 'Gate failed',
  inconclusive: 'Gate undecided',
};

const driftWords: Record<DriftState, readonly [Tone, string]> = {
  alert: ['fail', 'Drift alert'],
  drift: ['warn', 'Drift, no alert'],
  quiet: ['pass', 'No drift'],
  not_decidable: ['inconclusive', 'Drift undecided'],
  unknown: ['neutral', 'Drift not known'],
};

export const gateBadge = (verdict: Verdict): Html => mark(verdict, gateWords[verdict]);

export function driftBadge(check: DriftCheck | null): Html {
  const [tone, words] =
    check === null ? (['neutral', 'Drift not checked'] as const) : driftWords[check.state];
  return mark(tone, words);
}

/** What is as it should be stays quiet; a badge is for what differs. */
function mark(tone: Tone, words: string): Html {
  return tone === 'pass' || tone === 'neutral'
    ? html`<span class="mark ${tone}">${words}</span>`
    : badge(tone, words);
}

/** The newest check of the version that serves; checks of an earlier one say nothing of it. */
export function currentCheck({ state, checks }: EnvironmentView): DriftCheck | null {
  const [newest] = checks;
  return newest !== undefined && newest.version === state.version ? newest : null;
}
