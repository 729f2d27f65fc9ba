/**
 * A number with its thousands apart, as en-US writes it, with all the digits that it has. Not by Intl, whose first use
 * takes longer than most reports; only numbers that have an exponent are left to it.
 */
export function withCommas(value: number): string {
  const text = String(value);
  if (!/^-?\d+(\.\d+)?$/.test(text)) return value.toLocaleString('en-US', { maximumFractionDigits: 20 });
  const [whole = '', fraction] = text.split('.');
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, ',');
  return fraction === undefined ? grouped : `${grouped}.${fraction}`;
}
