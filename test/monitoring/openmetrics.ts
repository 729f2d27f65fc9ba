/** A family as a reader of OpenMetrics 1.0 sees it. */
export interface ReadFamily {
  type: string;
  help: string;
  /** Value by name and labels, written as `name{a="b"}`. */
  samples: Map<string, number>;
}

const metricName = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const label = /^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"(,|$)/;
const number = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;

/**
 * Parses text by the grammar of OpenMetrics 1.0, as far as counters and gauges need it, and holds to its rules: one
 * metadata block a family before its samples, no family twice or interleaved, counters end in `_total`, no sample
 * twice, `# EOF` last.
 */
export function parseOpenMetrics(text: string): Map<string, ReadFamily> {
  if (!text.endsWith('# EOF\n')) throw new SyntaxError('no # EOF at the end');
  const families = new Map<string, ReadFamily>();
  let current = null as { name: string; family: ReadFamily } | null;
  for (const line of text.slice(0, -'# EOF\n'.length).split('\n').slice(0, -1)) {
    const [, keyword, name = '', rest = ''] = /^# (TYPE|HELP) (\S+) (.*)$/.exec(line) ?? [];
    if (keyword !== undefined) {
      if (!metricName.test(name)) throw new SyntaxError(`bad name: ${line}`);
      if (current?.name !== name) {
        if (families.has(name)) throw new SyntaxError(`family twice: ${line}`);
        current = { name, family: { type: 'unknown', help: '', samples: new Map() } };
        families.set(name, current.family);
      }
      if (current.family.samples.size > 0) throw new SyntaxError(`metadata after samples: ${line}`);
      if (keyword === 'TYPE') current.family.type = rest;
      else if (!/^(?:[^\\]|\\[\\n"])*$/.test(rest)) throw new SyntaxError(`bad escape: ${line}`);
      else current.family.help = rest;
      continue;
    }
    if (current === null) throw new SyntaxError(`a sample of no family: ${line}`);
    readSample(line, current);
  }
  return families;
}

function readSample(line: string, { name, family }: { name: string; family: ReadFamily }): void {
  const [, sample = '', labels, value = ''] = /^([^\s{]+)(\{.*\})? (\S+)$/.exec(line) ?? [];
  if (sample !== (family.type === 'counter' ? `${name}_total` : name))
    throw new SyntaxError(`not of ${name}: ${line}`);
  if (!number.test(value)) throw new SyntaxError(`bad number: ${line}`);
  const seen = new Set<string>();
  for (let left = labels?.slice(1, -1) ?? ''; left !== ''; ) {
    const found = label.exec(left);
    if (found === null || seen.has(found[1] ?? '')) throw new SyntaxError(`bad labels: ${line}`);
    seen.add(found[1] ?? '');
    left = left.slice(found[0].length);
  }
  const key = `${sample}${labels ?? ''}`;
  if (family.samples.has(key)) throw new SyntaxError(`sample twice: ${line}`);
  family.samples.set(key, Number(value));
}
