import { isScalar, parseDocument } from 'yaml';
import { canonicalJson } from '../../json.ts';

/** What a pull request for another training says, and where it comes from. */
export interface RetrainEvidence {
  model: string;
  environment: string;
  /** The version that alarms. */
  version: number;
  fingerprint: string;
  issue: number;
  run: number;
  reason: string;
  /** Event times of the check. */
  window: { since: string; until: string };
  /** Digest of the drift report in the store. */
  drift: string;
}

export interface Change {
  path: string;
  content: string;
}

/**
 * The files of the pull request: the evidence, and where the training's window has a fixed end, that end moved to the
 * check's, since nothing else would bring newer rows in. Everything else of modelgate.yaml stays byte for byte.
 */
export function retrainChange(
  evidence: RetrainEvidence,
  config: { path: string; text: string | null },
): { files: Change[]; until: { from: string; to: string } | null } {
  const file = {
    path: `.modelgate/retrain/${evidence.model}.json`,
    content: `${JSON.stringify(JSON.parse(canonicalJson({ schema: 'modelgate.retrain/1', ...evidence })), null, 2)}\n`,
  };
  const moved = config.text === null ? null : moveEnd(config.text, evidence.window.until);
  if (moved === null) return { files: [file], until: null };
  return { files: [file, { path: config.path, content: moved.text }], until: moved.until };
}

/** Null: the file itself sets no end, or a later one. */
function moveEnd(text: string, to: string): { text: string; until: { from: string; to: string } } | null {
  const document = parseDocument(text);
  if (document.errors.length > 0) return null;
  const node = document.getIn(['data', 'window', 'until'], true);
  if (!isScalar(node) || node.range == null || node.anchor !== undefined) return null;
  const from = node.value instanceof Date ? node.value.toISOString() : String(node.value);
  if (!(Date.parse(from) < Date.parse(to))) return null;
  const [start, end] = node.range;
  return { text: `${text.slice(0, start)}'${to}'${text.slice(end)}`, until: { from, to } };
}
