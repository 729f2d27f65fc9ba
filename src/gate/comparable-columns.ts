import { type Column, identifier } from '../data/engine.ts';

/** How one column is read in two tables, so that equal values are equal whatever types hold them. */
export interface ComparablePair {
  /** SQL over the column's own name; both give the same type. Null, NaN and nothing else are null. */
  train: string;
  evaluation: string;
  /** Both hold numbers: a small difference means something. */
  numeric: boolean;
  /** Both hold whole numbers or decimals: exact ones, which may be names. */
  whole: boolean;
  /**
   * Where one side is text and the other is not: an SQL condition on which side's text reads as the other's
   * type. When none does, the two are not the same column.
   */
  reads: { side: 'train' | 'evaluation'; sql: string } | null;
}

type Family = 'whole' | 'decimal' | 'float' | 'boolean' | 'time' | 'text' | 'other';

function familyOf({ type, physicalType }: Column): Family {
  if (type === 'integer') return 'whole';
  if (type === 'number') return physicalType.toUpperCase().startsWith('DECIMAL') ? 'decimal' : 'float';
  if (type === 'timestamp' || type === 'date') return 'time';
  return type === 'string' ? 'text' : type === 'boolean' ? 'boolean' : 'other';
}

const numbers: readonly Family[] = ['whole', 'decimal', 'float'];
const countable: readonly Family[] = [...numbers, 'boolean'];

/**
 * The one form of a column that two tables hold under one name: whole numbers exactly, at any size; numbers with
 * fractions in the coarser of the two precisions; dates and timestamps as instants in UTC; text as what the other
 * side holds. Null when no value of one type can be one of the other, e.g. a date and a number.
 */
export function comparablePair(train: Column, evaluation: Column): ComparablePair | null {
  const families = { train: familyOf(train), evaluation: familyOf(evaluation) };
  const both = (set: readonly Family[]) => set.includes(families.train) && set.includes(families.evaluation);
  const kind = { numeric: both(numbers), whole: both(['whole', 'decimal']), reads: null };
  const each = (read: (column: string, side: Column) => string) => ({
    train: read(identifier(train.name), train),
    evaluation: read(identifier(evaluation.name), evaluation),
  });
  if (train.physicalType === evaluation.physicalType)
    return { ...kind, ...each((column) => (families.train === 'float' ? withoutNan(column) : column)) };
  if (both(['decimal', 'float'])) {
    const single = [train, evaluation].some((side) => side.physicalType.toUpperCase() === 'FLOAT');
    const type = single ? 'FLOAT' : 'DOUBLE';
    return { ...kind, ...each((column) => withoutNan(`CAST(${column} AS ${type})`)) };
  }
  if (both(countable)) return { ...kind, ...each((column, side) => numberText(column, familyOf(side))) };
  if (both(['time'])) return { ...kind, ...each((column) => `CAST(${column} AS TIMESTAMP)`) };
  if (both(['text', 'other'])) return { ...kind, ...each(plainText) };
  const side = families.train === 'text' ? 'train' : families.evaluation === 'text' ? 'evaluation' : null;
  if (side === null) return null;
  const other = families[side === 'train' ? 'evaluation' : 'train'];
  const parse = numbers.includes(other) ? readNumber : other === 'time' ? readTime : readBoolean;
  const write = (column: string) =>
    numbers.includes(other)
      ? numberText(column, other)
      : plainText(other === 'time' ? `CAST(${column} AS TIMESTAMP)` : column);
  return {
    ...kind,
    ...each((column, one) => (familyOf(one) === 'text' ? parse(column) : write(column))),
    reads: { side, sql: readable(identifier((side === 'train' ? train : evaluation).name), other) },
  };
}

const plainText = (column: string) => `CAST(${column} AS VARCHAR)`;
const trimmed = (column: string) => `trim(${plainText(column)})`;

/** NaN is a missing value, and −0 is 0. */
const withoutNan = (column: string) => `CASE WHEN isnan(${column}) THEN NULL ELSE ${column} + 0 END`;

/** A number as text: whole ones in digits, whatever type holds them, others in their shortest form. */
function numberText(column: string, family: Family): string {
  if (family === 'whole') return plainText(column);
  if (family === 'boolean') return plainText(`CAST(${column} AS INTEGER)`);
  const digits = `CASE WHEN ${column} = trunc(${column}) AND abs(${column}) < 1e37 THEN CAST(CAST(${column} AS HUGEINT) AS VARCHAR)`;
  return family === 'decimal'
    ? `${digits} ELSE CAST(CAST(${column} AS DOUBLE) AS VARCHAR) END`
    : `CASE WHEN isnan(${column}) THEN NULL ELSE ${digits} ELSE CAST(${column} AS VARCHAR) END END`;
}

/** Text that reads as a number in that number's form, e.g. "00001" and "1.0" as 1; other text as it is. */
function readNumber(column: string): string {
  const text = trimmed(column);
  const number = `TRY_CAST(${text} AS DOUBLE)`;
  return `COALESCE(
    CASE WHEN regexp_full_match(${text}, '[+-]?[0-9]+(\\.0*)?')
      THEN CAST(TRY_CAST(regexp_replace(${text}, '\\.0*$', '') AS HUGEINT) AS VARCHAR) END,
    CASE WHEN isnan(${number}) THEN NULL WHEN ${number} IS NULL THEN ${plainText(column)} ELSE ${numberText(number, 'float')} END)`;
}

const readTime = (column: string) =>
  `COALESCE(CAST(CAST(TRY_CAST(${trimmed(column)} AS TIMESTAMPTZ) AS TIMESTAMP) AS VARCHAR), ${plainText(column)})`;

const readBoolean = (column: string) =>
  `COALESCE(CAST(TRY_CAST(${trimmed(column)} AS BOOLEAN) AS VARCHAR), ${plainText(column)})`;

const readable = (column: string, other: Family) =>
  `TRY_CAST(${trimmed(column)} AS ${numbers.includes(other) ? 'DOUBLE' : other === 'time' ? 'TIMESTAMPTZ' : 'BOOLEAN'}) IS NOT NULL`;
