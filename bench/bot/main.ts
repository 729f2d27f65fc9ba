/**
 * How fast the bot is heard: from the webhook to the first reaction, at a steady pace of events over several
 * repositories. Of each hundred events ten are commands; the rest is what a busy organisation sends beside them.
 * GitHub is the fake one on this machine, so its own time is not in it. Asserts nothing.
 *
 *   npm run bench:bot                                   # 500 events a minute for two minutes
 *   npm run bench:bot -- --rate 500 --minutes 1 --commands 0.1
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { table } from '../../src/cli/terminal.ts';
import { BotWorld, modelConfig, workflows } from '../../test/bot/world.ts';

const { values } = parseArgs({
  options: {
    rate: { type: 'string', default: '500' },
    minutes: { type: 'string', default: '2' },
    commands: { type: 'string', default: '0.1' },
    repositories: { type: 'string', default: '10' },
  },
});
const total = Math.round(Number(values.rate) * Number(values.minutes));
const gap = 60_000 / Number(values.rate);
const every = Math.max(1, Math.round(1 / Number(values.commands)));

await using world = await BotWorld.create({ environment: { LOG_LEVEL: 'warn' } });
const repositories = Array.from({ length: Number(values.repositories) }, (_, n) => {
  // one organisation each: limits count by installation
  const repository = world.github.repository(`team${n}/flights`, {
    isPrivate: true,
    files: { 'modelgate.yaml': modelConfig('flights-late'), ...workflows },
  });
  repository.collaborator('max', 'maintain');
  return { repository, number: repository.openIssue('max', { title: 'Drift' }).number };
});
await world.github.idle();

const sent = new Map<number, number>();
const heard = new Map<number, number>();
world.github.faults.before = ({ operation, path }) => {
  const id = Number(/comments\/(\d+)\/reactions$/.exec(path)?.[1]);
  if (operation === 'reactions/create-for-issue-comment' && !heard.has(id)) heard.set(id, performance.now());
};
await world.start();
const started = performance.now();
for (let n = 0; n < total; n += 1) {
  const { repository, number } = repositories[n % repositories.length]!;
  if (n % every === 0) {
    const at = performance.now();
    sent.set(repository.comment(number, 'max', '/status').id, at);
  } else if (n % 2 === 0) repository.comment(number, 'max', 'A word between people.');
  else repository.startRun({ workflow: 'tests.yml', event: 'push', by: 'max' });
  await sleep(Math.max(0, started + (n + 1) * gap - performance.now()));
}
const sending = (performance.now() - started) / 1000;
while (heard.size < sent.size && performance.now() - started < sending * 1000 + 120_000) await sleep(50);
const behind = (performance.now() - started) / 1000 - sending;
await world.github.idle();

const waits = [...sent]
  .flatMap(([id, at]) => (heard.has(id) ? [(heard.get(id)! - at) / 1000] : []))
  .sort((a, b) => a - b);
const quantile = (q: number) => waits[Math.min(waits.length - 1, Math.floor(q * waits.length))] ?? Number.NaN;
const answers = world.github.deliveries.list.map(({ duration }) => duration).sort((a, b) => a - b);
const answer = (q: number) =>
  answers[Math.min(answers.length - 1, Math.floor(q * answers.length))] ?? Number.NaN;
const lost = world.github.deliveries.list.filter(({ statusCode }) => statusCode >= 300).length;
process.stdout.write(
  `${table(
    ['what', 'figure'],
    [
      ['events sent', String(total)],
      ['webhooks that they made', String(world.github.deliveries.list.length)],
      ['events a minute', ((total / sending) * 60).toFixed(0)],
      ['deliveries not taken', String(lost)],
      ['webhook answered, p50 / p99, seconds', `${answer(0.5).toFixed(3)} / ${answer(0.99).toFixed(3)}`],
      ['commands', String(sent.size)],
      ['commands with a reaction', String(heard.size)],
      ['webhook to reaction, p50, seconds', quantile(0.5).toFixed(3)],
      ['webhook to reaction, p99, seconds', quantile(0.99).toFixed(3)],
      ['last reaction after the last event, seconds', Math.max(0, behind).toFixed(1)],
    ],
  )}\n`,
);
