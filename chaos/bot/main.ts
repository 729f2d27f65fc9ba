/**
 * The bot's proof at full size: 1,000 comments, 1 to 5 copies of each in any order, some lost, 20 kills, answers lost
 * after the effect, limits, and an outage; then the same in quiet, and both ends compared. Prints figures; exit 1 when
 * something did not hold.
 *
 *   npm run chaos:bot                                            # ten minutes of outage
 *   npm run chaos:bot -- --seed 3 --events 200 --kills 8 --outage 30
 *   npm run chaos:bot -- --processes 2                           # on one inbox in PostgreSQL, which it starts
 */
import { parseArgs } from 'node:util';
import { table } from '../../src/cli/terminal.ts';
import { type ChaosPlan, type ChaosResult, effectsOf, runChaos } from '../../test/bot/chaos.ts';
import { PostgresServer } from '../../test/bot/postgres-server.ts';
import { freePort } from '../../test/bot/world.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    events: { type: 'string', default: '1000' },
    kills: { type: 'string', default: '20' },
    outage: { type: 'string', default: '600' },
    faults: { type: 'string', default: '0.05' },
    repositories: { type: 'string', default: '8' },
    models: { type: 'string', default: '12' },
    processes: { type: 'string', default: '1' },
  },
});
const processes = Number(values.processes);
await using server = processes > 1 ? await PostgresServer.start(await freePort()) : null;
let databases = 0;
const shared = server && { processes, inbox: () => server.database(`chaos_${databases++}`) };
const plan: ChaosPlan = {
  ...(shared && { shared }),
  seed: Number(values.seed),
  events: Number(values.events),
  kills: Number(values.kills),
  outage: Number(values.outage) * 1000,
  faults: Number(values.faults),
  repositories: Number(values.repositories),
  models: Number(values.models),
};

const chaos = await runChaos(plan);
const quiet = await runChaos({ ...plan, quiet: true });
const lost = chaos.ends.filter(({ reactions }, at) => reactions !== quiet.ends[at]?.reactions).length;
const wrong = [
  ...chaos.violations,
  ...quiet.violations,
  ...differences(effectsOf(chaos), effectsOf(quiet)),
  ...differences(chaos.registry, quiet.registry),
  ...chaos.ends.filter(many).map((end) => `more than one effect: ${JSON.stringify(end)}`),
];
process.stdout.write(`${summary(chaos)}\n${lost} comments lack a reaction that the quiet run made.\n`);
for (const line of wrong.slice(0, 20)) process.stdout.write(`${line}\n`);
process.stdout.write(wrong.length === 0 ? 'All of it holds.\n' : `${wrong.length} things do not hold.\n`);
process.exitCode = wrong.length === 0 ? 0 : 1;

function many({ replies, dispatches, deployments, entries }: ChaosResult['ends'][number]): boolean {
  return Math.max(replies, dispatches, deployments, entries) > 1;
}

function differences(found: readonly unknown[], wanted: readonly unknown[]): string[] {
  return wanted.flatMap((one, at) => {
    const [is, should] = [JSON.stringify(found[at]), JSON.stringify(one)];
    return is === should ? [] : [`chaos ${is}\nquiet ${should}`];
  });
}

function summary(result: ChaosResult): string {
  const { ends } = result;
  const commands = ends.filter(({ replies }) => replies > 0);
  return table(
    ['what', 'count'],
    [
      ['comments', String(ends.length)],
      ['deliveries of them and of what followed', String(result.deliveries)],
      ['commands answered', String(commands.length)],
      ['promotions carried out', String(ends.reduce((sum, { dispatches }) => sum + dispatches, 0))],
      ['kills', String(result.killed)],
      ...Object.entries(result.faults).map(([kind, count]) => [`requests: ${kind}`, String(count)]),
      ['seconds', result.seconds.toFixed(0)],
    ],
  );
}
