import { lastDrill } from '../registry/drills.ts';
import { previousMove } from '../registry/rules.ts';
import type { ModelState } from '../registry/state.ts';
import { missing, ok, type SetupCheck, warn } from './check.ts';

const day = 86_400_000;
/** A rollback that worked longer ago says little of today. */
const drillDays = 30;

/** What the registry says: versions, what serves, whether there is a way back, and whether it was tried. */
export function registryChecks(
  state: ModelState,
  { environments, now }: { environments: readonly string[]; now: Date },
): SetupCheck[] {
  const production = environments.at(-1) ?? 'production';
  const version = { check: 'version', level: 1 } as const;
  const passed = state.versions.filter(
    ({ verdict, retired }) => verdict === 'pass' && retired === null,
  ).length;
  const serving = state.environments.get(production);
  const rollback = { check: 'rollback', level: 2 } as const;
  const back = serving === undefined ? null : previousMove(state, serving);
  return [
    passed === 0
      ? missing(version, 'No version has passed the gate.', 'modelgate run')
      : ok(version, `${passed} of ${state.versions.length} versions passed the gate.`),
    serving?.version == null
      ? missing(
          { check: 'production', level: 1 },
          `Nothing serves in ${production}.`,
          `modelgate promote ${state.model} --to ${environments[0] ?? production}, and on in order.`,
        )
      : ok(
          { check: 'production', level: 1 },
          `Version ${serving.version} serves in ${production} since ${serving.since}.`,
        ),
    back === null
      ? missing(
          rollback,
          `A rollback of ${production} has nothing to go back to.`,
          'It has once a second version was promoted.',
        )
      : ok(rollback, `A rollback of ${production} would bring version ${back.version}.`),
    drillCheck(state, now),
  ];
}

function drillCheck(state: ModelState, now: Date): SetupCheck {
  const of = { check: 'drill', level: 2 } as const;
  const last = lastDrill(state);
  const fix = 'drill.yml rolls staging back and forth every week.';
  if (last === null) return missing(of, 'No rollback drill was done.', fix);
  if (last.restored_at === null)
    return missing(
      of,
      `The drill of ${last.at} did not come back.`,
      'Look at its run, and at modelgate status.',
    );
  const age = Math.floor((now.getTime() - Date.parse(last.at)) / day);
  return age > drillDays
    ? warn(of, `The last rollback drill is ${age} days old.`, fix)
    : ok(of, `The last rollback drill was on ${last.at.slice(0, 10)}.`);
}
