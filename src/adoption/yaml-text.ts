const plain = /^[A-Za-z_][A-Za-z0-9_./-]*( [A-Za-z0-9_./-]+)*$/;
/** Words that some YAML reader takes for something else than text. */
const words = /^(true|false|yes|no|on|off|y|n|null|nan|inf)$/i;

/** A value within a line of YAML. What could mean something else than itself is quoted, as JSON quotes it. */
export function scalar(value: string | number | boolean): string {
  if (typeof value !== 'string') return String(value);
  if (plain.test(value) && !words.test(value)) return value;
  return JSON.stringify(value).replace(/[\u007f-\u009f\u2028\u2029\ufeff]/g, escaped);
}

const escaped = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;

/** A list within a line. */
export function list(values: readonly (string | number | boolean)[]): string {
  return `[${values.map(scalar).join(', ')}]`;
}

/** A mapping within a line. */
export function inline(entries: Readonly<Record<string, string | number | boolean>>): string {
  const parts = Object.entries(entries).map(([key, value]) => `${scalar(key)}: ${scalar(value)}`);
  return `{ ${parts.join(', ')} }`;
}
