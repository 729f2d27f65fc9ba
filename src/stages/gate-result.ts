import { gatePlots } from '../gate/plots.ts';
import type { GateRecord } from '../gate/record.ts';
import { gateHtml } from '../gate/report-html.ts';
import { gateMarkdown } from '../gate/report-markdown.ts';
import { canonicalJson, type Digest, digestOf } from '../json.ts';
import { figureWidth } from '../report/html.ts';
import type { Manifest } from '../store/manifest.ts';
import type { StageContext } from './define.ts';
import type { GateInputs } from './gate.ts';

/** The decisive sentence, and how many more there are. */
export function summaryOf({ verdict, reasons, checks }: GateRecord): string {
  const [first = '', ...others] = reasons;
  if (verdict !== 'pass') return others.length === 0 ? first : `${first} (${others.length} more.)`;
  const blocking = checks.filter((check) => check.effect === 'blocks' && check.verdict === 'pass').length;
  const rest = blocking - 1;
  return rest > 0 ? `${first} ${rest} more ${rest === 1 ? 'check' : 'checks'} passed.` : first;
}

/** Stores the record and its reports, and the manifest that names them. */
export async function writeResult(
  record: GateRecord,
  { inputs, context }: { inputs: GateInputs; context: StageContext },
) {
  const { store } = context;
  const plots = gatePlots(record);
  const texts: (readonly [name: string, text: string])[] = [
    ['gate.json', canonicalJson(record)],
    ['policy.json', canonicalJson(inputs.policy)],
    ['report.html', gateHtml(record)],
    ['report.md', gateMarkdown(record)],
    ...plots.map(({ file, draw }) => [file, draw(figureWidth)] as const),
  ];
  // each waits for the disk
  const files: Manifest['files'] = await Promise.all(
    texts.map(async ([name, text]) => {
      const bytes = Buffer.from(text);
      return { name, size: bytes.length, sha256: await store.putBytes(bytes) };
    }),
  );
  const digests = Object.fromEntries(files.map(({ name, sha256 }) => [name, sha256 as Digest]));
  for (const [index, { file, size }] of inputs.scans.entries())
    files.push({ name: `scan-${index + 1}.json`, size, sha256: file });
  const digest = await store.putManifest({
    kind: 'gate',
    files,
    inputs: {
      evaluation: inputs.evaluation,
      ...(inputs.noise === null ? {} : { noise: inputs.noise }),
      ...(inputs.golden === null ? {} : { golden: inputs.golden.file }),
      ...Object.fromEntries(inputs.pooled_noise.map((one, index) => [`pooled_noise_${index + 1}`, one])),
    },
    producer: context.producer,
    facts: {
      verdict: record.verdict,
      reasons: record.reasons.slice(0, 50),
      candidate: record.candidate,
      champion: record.champion,
      policy: digestOf(inputs.policy),
      on_inconclusive: record.on_inconclusive,
      ...(record.scans === undefined
        ? {}
        : {
            scans: record.scans.map(({ subject, tool, sha256, packages, counts }) => ({
              ...{ subject, tool, sha256, packages, counts },
            })),
          }),
      metrics: Object.fromEntries(
        record.checks
          .filter((check) => check.kind === 'metric' && check.candidate !== null)
          .map((check) => [check.title, check.candidate]),
      ),
    },
  });
  return {
    digest,
    html: digests['report.html'] as Digest,
    markdown: digests['report.md'] as Digest,
    plots: plots.map(({ file }) => ({ name: file, sha256: digests[file] as Digest })),
  };
}
