import { z } from 'zod';
import { type DeliveryEvents, deliveryEvents, type RecordedCheck } from './delivery-events.ts';
import type { LogEntry } from './entries.ts';
import { countInterventions, InterventionClass, recentMonths } from './interventions.ts';

/** Null where nothing is known; `why` says why, and is null where there is a number. */
const why = z.string().nullable();
const count = z.number().int().nonnegative();

/** A part of a whole: `count` of `of`. */
export const Share = z.object({ share: z.number().nullable(), count, of: count, why });
export type Share = z.infer<typeof Share>;

/** Of a number of waits: their median. */
export const Duration = z.object({
  median_seconds: z.number().nullable(),
  count,
  /** Waits whose begin is not known, or lies after their end by the writers' clocks. Not among `count`. */
  unknown: count,
  /** Those among `count` that begin by the second best sign: registration for training, promotion for an alarm. */
  by_second_sign: count,
  why,
});
export type Duration = z.infer<typeof Duration>;

const Figures = z.object({
  /** Promotions to the environment. */
  deployments: count,
  /** From the end of training (else registration) to the first promotion of a package. */
  lead_time: Duration,
  /** Promotions that a rollback undid, by the month of the promotion. */
  change_failure: Share,
  /** From the alarm (else the promotion) to the rollback. */
  time_to_restore: Duration,
  /** Moves of any environment by hand. */
  interventions: z.object({ count, classes: z.record(InterventionClass, count) }),
  /** Promotions past an undecided gate, of any environment. */
  override: Share,
  /** Versions that the gate blocked and that turned out good, by the month in which they were blocked. */
  false_block: Share,
});
export type DeliveryFigures = z.infer<typeof Figures>;

/** How well the pipeline delivers one model to one environment [MET-1, MET-2, MET-3]. Months are in UTC. */
export const DeliveryMetrics = z.object({
  environment: z.string(),
  /** The newest first; YYYY-MM. Months before the log, or not wholly read, are left out. */
  months: z.array(Figures.extend({ month: z.string() })),
  /** Of all these months together. */
  whole: Figures,
  /** Means over the months, the current one among them; null without any month. */
  deployments_per_month: z.number().nullable(),
  interventions_per_month: z.number().nullable(),
});
export type DeliveryMetrics = z.infer<typeof DeliveryMetrics>;

export interface DeliveryRequest {
  /** A log's newest entries, oldest first and without a gap. */
  entries: readonly LogEntry[];
  /** The environment that counts as delivered to, e.g. production. */
  environment: string;
  /** When the training of a package ended, ISO 8601, by its digest; packages that it lacks count from registration. */
  trainedAt: ReadonlyMap<string, string>;
  /** Monitoring's checks; none is fine. */
  checks: readonly RecordedCheck[];
  now: Date;
  /** How many months, that of `now` among them. */
  months: number;
}

/** The definitions are docs/site.md's. Pure. */
export function deliveryMetrics(request: DeliveryRequest): DeliveryMetrics {
  const { entries, environment, now } = request;
  const events = deliveryEvents(request);
  const months = coveredMonths(entries, recentMonths(now, request.months));
  const within = (some: readonly string[]) => (at: string) => some.includes(at.slice(0, 7));
  const whole = figures({ entries, events, environment, holds: within(months) });
  const mean = (sum: number) => (months.length === 0 ? null : sum / months.length);
  return {
    environment,
    months: months.map((month) => ({
      month,
      ...figures({ entries, events, environment, holds: within([month]) }),
    })),
    whole,
    deployments_per_month: mean(whole.deployments),
    interventions_per_month: mean(whole.interventions.count),
  };
}

/** The month in which a cut log begins is not whole. */
function coveredMonths(entries: readonly LogEntry[], months: readonly string[]): string[] {
  const [first] = entries;
  if (first === undefined) return [];
  const begin = first.at.slice(0, 7);
  return months.filter((month) => (first.seq === 1 ? month >= begin : month > begin));
}

function figures(of: {
  entries: readonly LogEntry[];
  events: DeliveryEvents;
  environment: string;
  holds: (at: string) => boolean;
}): DeliveryFigures {
  const { entries, events, environment, holds } = of;
  const deployments = events.deployments.filter(({ at }) => holds(at));
  const promotions = events.promotions.filter(({ at }) => holds(at));
  const blocked = events.blocked.filter(({ at }) => holds(at));
  const nothing = `nothing was promoted to ${environment}`;
  return {
    deployments: deployments.length,
    lead_time: duration(
      events.leads.filter(({ at }) => holds(at)),
      deployments.length === 0 ? nothing : `no package came to ${environment} for the first time`,
    ),
    change_failure: share(deployments, ({ failed }) => failed, nothing),
    time_to_restore: duration(
      events.restores.filter(({ at }) => holds(at)),
      `nothing was rolled back in ${environment}`,
    ),
    interventions: countInterventions(entries.filter(({ at }) => holds(at))),
    override: share(promotions, ({ overridden }) => overridden, 'nothing was promoted'),
    false_block: share(blocked, ({ good }) => good, 'the gate blocked nothing'),
  };
}

function share<T>(all: readonly T[], counts: (one: T) => boolean, none: string): Share {
  const found = all.filter(counts).length;
  return all.length === 0
    ? { share: null, count: 0, of: 0, why: none }
    : { share: found / all.length, count: found, of: all.length, why: null };
}

function duration(waits: DeliveryEvents['leads'], none: string): Duration {
  const known = waits.filter((wait) => wait.seconds !== null);
  const sorted = known.map(({ seconds }) => seconds as number).sort((a, b) => a - b);
  const middle = sorted.length / 2;
  const around = sorted.slice(Math.ceil(middle) - 1, Math.floor(middle) + 1);
  return {
    median_seconds: sorted.length === 0 ? null : around.reduce((sum, one) => sum + one, 0) / around.length,
    count: sorted.length,
    unknown: waits.length - sorted.length,
    by_second_sign: known.filter((wait) => wait.second).length,
    why: sorted.length > 0 ? null : waits.length > 0 ? 'when it began is not known' : none,
  };
}
