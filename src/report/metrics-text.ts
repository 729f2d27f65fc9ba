import { oneLine } from './plain.ts';

/** A family of metrics: what is counted or measured, by labels. */
export interface MetricFamily {
  /** Without `_total`, which counters get where they are written. */
  name: string;
  help: string;
  type: 'counter' | 'gauge';
  samples: readonly { labels: Readonly<Record<string, string>>; value: number }[];
}

/** `openmetrics`: OpenMetrics 1.0. `prometheus`: its older text format 0.0.4, which node-exporter and Pushgateway read. */
export type MetricsFormat = 'openmetrics' | 'prometheus';

/** Characters of a label's value. */
const longestLabel = 100;

/** Metrics as text. Families without samples are left out. */
export function metricsText(families: readonly MetricFamily[], format: MetricsFormat): string {
  const lines: string[] = [];
  for (const { name, help, type, samples } of families) {
    if (samples.length === 0) continue;
    const sample = type === 'counter' ? `${name}_total` : name;
    const family = format === 'openmetrics' ? name : sample;
    lines.push(`# TYPE ${family} ${type}`, `# HELP ${family} ${escaped(help)}`);
    for (const { labels, value } of samples) lines.push(`${sample}${shown(labels)} ${value}`);
  }
  if (format === 'openmetrics') lines.push('# EOF');
  return `${lines.join('\n')}\n`;
}

function shown(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).map(
    ([name, value]) => `${name}="${escaped(oneLine(value, longestLabel))}"`,
  );
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

const escaped = (text: string): string =>
  text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
