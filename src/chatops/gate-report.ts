import { z } from 'zod';
import { UserError } from '../errors.ts';
import { GateRecord } from '../gate/record.ts';
import { gateMarkdown, gateMarker } from '../gate/report-markdown.ts';
import { parseJson } from '../json.ts';
import type { Registry } from '../registry/registry.ts';
import type { VersionState } from '../registry/state.ts';
import { type Markdown, text } from '../report/markdown.ts';

const recordLimit = 8_000_000;

/** What a version's gate left in the store, read by its digest. */
export interface GateReport {
  /** Null for a record that this version of ModelGate cannot read: the manifest's facts say the most important. */
  record: GateRecord | null;
  reasons: string[];
  /** The workflow run that judged it. */
  run: { id: string; attempt: number };
}

const Facts = z.looseObject({ reasons: z.array(z.string()).max(100).catch([]) });

/** Throws `object_missing`, `object_damaged` where the manifest is gone. */
export async function readGateReport(
  { store }: Registry,
  { gate }: Readonly<VersionState>,
): Promise<GateReport> {
  const { files, facts, producer } = await store.readManifest(gate, 'gate');
  const file = files.find(({ name }) => name === 'gate.json');
  return {
    record: file === undefined ? null : await readGate(() => store.readBytes(file.sha256, recordLimit)),
    reasons: Facts.parse(facts).reasons,
    run: { id: producer.run, attempt: producer.attempt },
  };
}

/** At most `limit` characters, without the marker by which the gate's own comments are found. */
export function gateReportMarkdown({ record, reasons }: GateReport, limit: number): Markdown {
  if (record !== null) return gateMarkdown(record, { limit }).replace(gateMarker(record), '').trimEnd();
  if (reasons.length === 0) return 'Its record holds no more.';
  return reasons
    .slice(0, 20)
    .map((reason) => `* ${text(reason, 400)}`)
    .join('\n');
}

async function readGate(read: () => Promise<Buffer>): Promise<GateRecord | null> {
  try {
    const bytes = await read();
    return GateRecord.safeParse(parseJson(bytes.toString('utf8'), recordLimit)).data ?? null;
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof UserError) return null;
    throw error;
  }
}
