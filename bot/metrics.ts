type Labels = Readonly<Record<string, string>>;
interface Series {
  labels: Labels;
  value: number;
}

/** Counters, gauges and histograms in the text format of Prometheus (0.0.4). */
export class Metrics {
  private readonly counters = new Map<string, { help: string; series: Map<string, Series> }>();
  private readonly gauges = new Map<string, { help: string; read: () => Promise<readonly Series[]> }>();
  private readonly histograms = new Map<string, Histogram>();

  counter(name: string, help: string): (labels?: Labels, by?: number) => void {
    const series = new Map<string, Series>();
    this.counters.set(name, { help, series });
    return (labels = {}, by = 1) => {
      const key = shown(labels);
      const one = series.get(key) ?? { labels, value: 0 };
      series.set(key, { ...one, value: one.value + by });
    };
  }

  /** Read when it is asked for. */
  gauge(name: string, help: string, read: () => Promise<readonly Series[]>): void {
    this.gauges.set(name, { help, read });
  }

  /** Buckets in the unit of what is observed, ascending. */
  histogram(name: string, help: string, buckets: readonly number[]): (value: number) => void {
    const made: Histogram = { help, buckets, counts: buckets.map(() => 0), sum: 0, count: 0 };
    this.histograms.set(name, made);
    return (value) => {
      made.buckets.forEach((limit, at) => {
        if (value <= limit) made.counts[at] = (made.counts[at] ?? 0) + 1;
      });
      made.sum += value;
      made.count += 1;
    };
  }

  async text(): Promise<string> {
    const lines: string[] = [];
    const head = (name: string, help: string, type: string) =>
      lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`);
    for (const [name, { help, series }] of this.counters) {
      head(name, help, 'counter');
      for (const { labels, value } of series.values()) lines.push(`${name}${shown(labels)} ${value}`);
    }
    for (const [name, { help, read }] of this.gauges) {
      head(name, help, 'gauge');
      for (const { labels, value } of await read()) lines.push(`${name}${shown(labels)} ${value}`);
    }
    for (const [name, { help, buckets, counts, sum, count }] of this.histograms) {
      head(name, help, 'histogram');
      buckets.forEach((limit, at) => {
        lines.push(`${name}_bucket{le="${limit}"} ${counts[at]}`);
      });
      lines.push(`${name}_bucket{le="+Inf"} ${count}`, `${name}_sum ${sum}`, `${name}_count ${count}`);
    }
    return `${lines.join('\n')}\n`;
  }
}

interface Histogram {
  help: string;
  buckets: readonly number[];
  counts: number[];
  sum: number;
  count: number;
}

function shown(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`);
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

const escaped = (value: string): string =>
  value.slice(0, 100).replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');

export type BotMetrics = ReturnType<typeof botMetrics>;

/** The metrics of one bot; docs/bot.md lists them. */
export function botMetrics() {
  const metrics = new Metrics();
  return {
    metrics,
    deliveries: metrics.counter(
      'modelgate_bot_deliveries_total',
      'Deliveries by event and by what became of them: stored, known, ignored, refused, failed.',
    ),
    jobs: metrics.counter('modelgate_bot_jobs_total', 'Tries of jobs by kind and by how they ended.'),
    commands: metrics.counter(
      'modelgate_bot_commands_total',
      'Commands by decision and reason code: refusals are those with decision="refused".',
    ),
    githubErrors: metrics.counter(
      'modelgate_bot_github_errors_total',
      'Requests that GitHub did not carry out, by status; 0: no answer.',
    ),
    redelivered: metrics.counter(
      'modelgate_bot_redelivered_total',
      'Missed deliveries that were asked for again.',
    ),
    looked: metrics.counter(
      'modelgate_bot_missed_looks_total',
      'Times that the app looked to the end for missed deliveries.',
    ),
    seconds: metrics.histogram(
      'modelgate_bot_seconds_to_eyes',
      'From the arrival of a command to its first reaction.',
      [0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 300],
    ),
  };
}
