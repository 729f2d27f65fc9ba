/** A model or source name made of any text: a-z, 0-9 and `-`, at most 40 characters; `fallback` where nothing is left. */
export function slug(text: string, fallback: string): string {
  const plain = text
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 40)
    .replace(/-+$/, '');
  return plain === '' ? fallback : plain;
}

/** A column name that no other column has, in any case: SQL takes `Day` and `day` for one. */
export function freeName(wanted: string, taken: readonly string[]): string {
  const known = new Set(taken.map((name) => name.toLowerCase()));
  let name = wanted;
  for (let number = 2; known.has(name.toLowerCase()); number++) name = `${wanted}_${number}`;
  return name;
}

/** Whether configuration, SQL and reports can carry a column of this name. */
export function usableName(name: string): boolean {
  return name.length > 0 && name.length <= 128 && name.trim() === name && !/[\p{Cc}\p{Cf}\p{Cs}]/u.test(name);
}
