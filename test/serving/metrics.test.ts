import { describe, expect, it } from 'vitest';
import { ServingMetrics } from '../../src/serving/metrics.ts';

describe('ServingMetrics', () => {
  it('[SRV-3] counts requests, errors, rows and latency in the text format of Prometheus', () => {
    const metrics = new ServingMetrics({ model: 'a', environment: 'b"\n\\' });
    for (const status of [200, 200, 400, 503]) metrics.request(status);
    metrics.inference(3, 0.004);
    metrics.inference(1, 100);
    metrics.turnedAway();
    const text = metrics.render([{ name: 'modelgate_version', help: 'Version.', value: 7 }]);
    const labels = 'model="a",environment="b\\"\\n\\\\"';
    for (const line of [
      `modelgate_requests_total{${labels},code="200"} 2`,
      `modelgate_errors_total{${labels}} 1`,
      `modelgate_shed_total{${labels}} 1`,
      `modelgate_rows_total{${labels}} 4`,
      `modelgate_inference_seconds_bucket{${labels},le="0.0025"} 0`,
      `modelgate_inference_seconds_bucket{${labels},le="0.005"} 1`,
      `modelgate_inference_seconds_bucket{${labels},le="10"} 1`,
      `modelgate_inference_seconds_bucket{${labels},le="+Inf"} 2`,
      `modelgate_inference_seconds_count{${labels}} 2`,
      `modelgate_version{${labels}} 7`,
    ]) {
      expect(text.split('\n')).toContain(line);
    }
    for (const line of text.trimEnd().split('\n')) {
      expect(line).toMatch(/^(# (HELP|TYPE) \w+ .+|\w+\{.*\} [\d.e+-]+)$/);
    }
  });
});
