import { commitThroughFaults, createThroughFaults } from '../../../test/registry/races/faults.ts';
import { countAnswers, type Operation } from '../../../test/registry/races/history.ts';
import { openPlace, type Place, patient } from '../../../test/registry/races/place.ts';
import { askPorcupine, noPorcupine } from '../../../test/registry/races/porcupine.ts';
import { type Race, recordRace, runRace } from '../../../test/registry/races/race.ts';
import { checkRegister } from '../../../test/registry/races/register-check.ts';
import { generationsOf, withDoubleWinner, withStaleRead } from '../../../test/registry/races/seeds.ts';
import { describeTally, isClean } from '../../../test/registry/races/tally.ts';

/** More clients that overlap than this, and porcupine does not come to an end. */
const porcupineClients = 16;

export interface RaceSize {
  processes: number;
  /** In all. */
  operations: number;
  seed: number;
}

/** Where a race by this name takes place. */
type Track = (name: string) => Pick<Race, 'place' | 'env'>;

/** One race at full size, and one that is small enough for porcupine. */
export async function races(what: string, track: Track, options: RaceSize): Promise<boolean> {
  const { processes, operations, seed } = options;
  const large = await oneRace(what, { ...track('large'), processes, operations, seed });
  const few = Math.min(processes, porcupineClients);
  const small = await oneRace(what, {
    ...track('small'),
    processes: few,
    operations: Math.min(operations, 256),
    seed: seed + 1,
  });
  return large.held && small.held && (await checkersAgree(small.history));
}

async function oneRace(what: string, race: Race): Promise<{ held: boolean; history: Operation[] }> {
  const { history, generations, lies, disorder, verification, seconds } = await runRace(race);
  const winners = history.filter(({ answer }) => answer.type === 'won');
  const distinct = new Set(winners.map(({ answer }) => (answer.type === 'won' ? answer.generation : 0)));
  const answers = Object.entries(countAnswers(history)).map(([answer, count]) => `${count} ${answer}`);
  console.log(
    `${what}: ${race.processes} processes, ${history.length} operations in ${seconds.toFixed(1)} s: ${answers.join(', ')}`,
  );
  console.log(
    `  ${generations} generations, ${winners.length} winners of ${distinct.size}; ${lies.length} lies; versioned-register check: ${disorder.length} complaints; verify: ${verification.answer}`,
  );
  for (const line of [...lies, ...disorder].slice(0, 5)) console.log(`  ${line}`);
  const held =
    history.length === race.operations &&
    winners.length === distinct.size &&
    distinct.size === generations &&
    generations > 0 &&
    lies.length === 0 &&
    disorder.length === 0 &&
    verification.answer === 'sound';
  return { held, history };
}

/** Whether both checkers accept the history, and refuse it with a stale reading or a second winner. */
async function checkersAgree(history: readonly Operation[]): Promise<boolean> {
  // early: refusing a history takes porcupine all orders up to there
  const generation = Math.min(3, generationsOf(history));
  const stale = withStaleRead(history, generation);
  const double = withDoubleWinner(history, generation);
  const ours = [history, stale, double].map((one) => checkRegister(one).length === 0);
  console.log(
    `  versioned-register check: as recorded, stale read, double winner: ${ours.map(word).join(', ')}`,
  );
  const good = ours.join() === 'true,false,false';
  const missing = noPorcupine();
  if (missing !== null) {
    console.log(`  porcupine: skipped, ${missing}`);
    return good;
  }
  const began = performance.now();
  const theirs = await askPorcupine([history, stale, double], { seconds: 300 });
  const time = (performance.now() - began).toFixed(0);
  console.log(`  porcupine: as recorded, stale read, double winner: ${theirs.join(', ')} (${time} ms)`);
  return good && theirs.join() === 'ok,illegal,illegal';
}

const word = (accepted: boolean) => (accepted ? 'ok' : 'illegal');

/** A race on a store that really breaks the rules: both checkers must see it. */
export async function brokenStore(what: string, race: Race): Promise<boolean> {
  const history = await recordRace(race);
  const complaints = checkRegister(history);
  const asked = noPorcupine() === null ? (await askPorcupine([history]))[0] : 'skipped';
  console.log(
    `${what}: ${history.length} operations, ${generationsOf(history)} generations; versioned-register check: ${complaints.length} complaints; porcupine: ${asked}`,
  );
  if (complaints[0] !== undefined) console.log(`  e.g. ${complaints[0]}`);
  return complaints.length > 0 && (asked === 'illegal' || asked === 'skipped');
}

/** Log entries created through a proxy, by the bare storage and by the registry: none double, lost or misreported. */
export async function throughFaults(
  place: Place,
  env: Record<string, string>,
  faulty: number,
): Promise<boolean> {
  const direct = await openPlace({ ...place, patience: patient });
  const [first, second, third, ...others] = await Promise.all(
    Array.from({ length: 15 }, () => openPlace(place, env)),
  );
  const creates = Math.ceil(faulty * 0.6);
  const bare = await createThroughFaults({
    writers: [first!, second!, third!],
    direct,
    operations: creates,
  });
  console.log(describeTally('through faults, the bare storage', bare));
  const commits = await commitThroughFaults({
    writers: others,
    direct,
    logs: 6,
    operations: faulty - creates,
  });
  console.log(describeTally('through faults, the registry', commits));
  return isClean(bare) && isClean(commits) && bare.uncertain + commits.uncertain < faulty / 1000;
}
