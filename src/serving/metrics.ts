/** Upper bounds of the latency histogram, in seconds. */
const buckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** A value that is looked up when the metrics are read. */
export interface Gauge {
  name: string;
  help: string;
  /** null: not known now, left out. */
  value: number | null;
  type?: 'gauge' | 'counter';
}

/** Counts of one serving process, in the text format of Prometheus (version 0.0.4). */
export class ServingMetrics {
  private readonly labels: string;
  private readonly requests = new Map<number, number>();
  private readonly counts = new Array<number>(buckets.length).fill(0);
  private seconds = 0;
  private answered = 0;
  private rows = 0;
  private shed = 0;

  constructor(labels: Record<string, string>) {
    this.labels = Object.entries(labels)
      .map(([name, value]) => `${name}="${escapeLabel(value)}"`)
      .join(',');
  }

  request(status: number): void {
    this.requests.set(status, (this.requests.get(status) ?? 0) + 1);
  }

  /** An answered inference: `seconds` from the parsed head of the request to the answer. */
  inference(rows: number, seconds: number): void {
    this.rows += rows;
    this.answered += 1;
    this.seconds += seconds;
    const bucket = buckets.findIndex((bound) => seconds <= bound);
    if (bucket >= 0) this.counts[bucket] = (this.counts[bucket] ?? 0) + 1;
  }

  /** A request turned away because too many waited. */
  turnedAway(): void {
    this.shed += 1;
  }

  render(gauges: readonly Gauge[]): string {
    const lines: string[] = [];
    const head = (name: string, type: string, help: string) =>
      lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`);
    const plain = (name: string, type: string, help: string, value: number) => {
      head(name, type, help);
      lines.push(`${name}{${this.labels}} ${value}`);
    };
    head('modelgate_requests_total', 'counter', 'Requests by HTTP status.');
    for (const [status, count] of [...this.requests].sort(([a], [b]) => a - b)) {
      lines.push(`modelgate_requests_total{${this.labels},code="${status}"} ${count}`);
    }
    let errors = 0;
    for (const [status, count] of this.requests) if (status >= 500) errors += count;
    plain('modelgate_errors_total', 'counter', 'Requests answered with a status of 500 or above.', errors);
    plain('modelgate_shed_total', 'counter', 'Requests turned away because too many waited.', this.shed);
    plain('modelgate_rows_total', 'counter', 'Rows predicted.', this.rows);
    const histogram = 'modelgate_inference_seconds';
    head(histogram, 'histogram', 'Time of an inference request.');
    let sum = 0;
    buckets.forEach((bound, index) => {
      sum += this.counts[index] ?? 0;
      lines.push(`${histogram}_bucket{${this.labels},le="${bound}"} ${sum}`);
    });
    lines.push(
      `${histogram}_bucket{${this.labels},le="+Inf"} ${this.answered}`,
      `${histogram}_sum{${this.labels}} ${this.seconds}`,
      `${histogram}_count{${this.labels}} ${this.answered}`,
    );
    for (const { name, help, value, type } of gauges) {
      if (value !== null) plain(name, type ?? 'gauge', help, value);
    }
    return `${lines.join('\n')}\n`;
  }
}

function escapeLabel(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}
