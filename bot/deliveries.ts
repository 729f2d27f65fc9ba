import { z } from 'zod';
import type { OctokitClient } from '../src/github/octokit.ts';
import { eventNames } from './events.ts';
import type { AppClients } from './github.ts';
import type { Inbox } from './inbox.ts';
import type { BotLog } from './log.ts';
import type { BotMetrics } from './metrics.ts';

const minute = 60_000;
/** GitHub sends a delivery again for three days. */
const window = 3 * 24 * 60 * minute;
/** Looked at again each time: a delivery may be listed late, and its answer is written later still. */
const overlap = 30 * minute;
/** One that is on its way is left alone. */
const settling = 20_000;
const mostPages = 50;
/** A delivery that still fails after so many tries is not asked for any more. */
const mostTries = 5;
const mark = 'deliveries checked until';

const Delivery = z.object({
  id: z.number(),
  guid: z.string(),
  delivered_at: z.string(),
  status_code: z.number(),
  event: z.string(),
});
type Delivery = z.infer<typeof Delivery>;

export interface MissedOptions {
  clients: Pick<AppClients, 'app'>;
  inbox: Pick<Inbox, 'has' | 'note' | 'setNote'>;
  metrics: Pick<BotMetrics, 'redelivered' | 'looked'>;
  log: BotLog;
  now?: () => Date;
}

/**
 * GitHub tries a delivery once. Asks for those again that nobody took, as far back as the last look or three days, the
 * oldest first; they come as deliveries do, and the inbox knows those that it has. Gives how many.
 */
export async function fetchMissed({
  clients,
  inbox,
  metrics,
  log,
  now = () => new Date(),
}: MissedOptions): Promise<number> {
  const started = now().getTime();
  const last = Number((await inbox.note(mark)) ?? 0);
  const since = Math.max(started - window, last - overlap);
  const client = await clients.app();
  let asked = 0;
  // GitHub refuses some for good; the others are asked for all the same, and these once more at the next look
  let looked = started;
  for (const { id, guid, delivered_at: at } of missedOf(
    await deliveriesSince(client, since),
    started - settling,
  )) {
    if (await inbox.has(guid)) continue;
    try {
      await client.request('POST /app/hook/deliveries/{delivery_id}/attempts', { delivery_id: id });
      metrics.redelivered();
      asked += 1;
    } catch (error) {
      looked = Math.min(looked, Date.parse(at));
      log.write(
        'warn',
        `delivery ${id} is not sent again: ${error instanceof Error ? error.message : 'unknown'}`,
      );
    }
  }
  await inbox.setNote(mark, String(looked));
  metrics.looked();
  if (asked > 0) log.info(`${asked} missed deliveries were asked for again`);
  return asked;
}

/** One try of each delivery of which no try was taken, the oldest first. */
export function missedOf(deliveries: readonly Delivery[], before: number): Delivery[] {
  const byGuid = new Map<string, Delivery[]>();
  for (const one of deliveries) byGuid.set(one.guid, [...(byGuid.get(one.guid) ?? []), one]);
  return [...byGuid.values()]
    .filter((attempts) => attempts.length < mostTries && attempts.every((one) => failed(one, before)))
    .flatMap((attempts) => attempts.slice(0, 1))
    .filter(({ event }) => eventNames.includes(event))
    .sort((a, b) => a.id - b.id);
}

function failed({ status_code: status, delivered_at: at }: Delivery, before: number): boolean {
  return (status < 200 || status >= 300) && Date.parse(at) <= before;
}

/** The newest first on GitHub's pages. */
async function deliveriesSince(client: OctokitClient, since: number): Promise<Delivery[]> {
  const found: Delivery[] = [];
  let cursor: string | undefined;
  for (let page = 0; page < mostPages; page++) {
    const answer = await client.request('GET /app/hook/deliveries', {
      per_page: 100,
      ...(cursor === undefined ? {} : { cursor }),
    });
    const listed = z.array(Delivery).parse(answer.data);
    const fresh = listed.filter((one) => Date.parse(one.delivered_at) >= since);
    found.push(...fresh);
    cursor = nextCursor(answer);
    if (cursor === undefined || fresh.length < listed.length) break;
  }
  return found;
}

function nextCursor(answer: object): string | undefined {
  const headers = 'headers' in answer ? answer.headers : undefined;
  const link = z.object({ link: z.string().max(4000) }).safeParse(headers).data?.link ?? '';
  const next = /<([^>]+)>;\s*rel="next"/.exec(link)?.[1];
  return next === undefined ? undefined : (URL.parse(next)?.searchParams.get('cursor') ?? undefined);
}
