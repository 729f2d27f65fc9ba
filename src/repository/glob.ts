/**
 * Whether a path fits a pattern, both with slashes: `*` and `?` stay inside of one folder, `**` as a whole segment
 * stands for any number of folders. Every other character is itself. Takes at most the product of both lengths,
 * whatever a stranger writes.
 */
export function matchesGlob(pattern: string, file: string): boolean {
  return fits(pattern.split('/'), file.split('/'), {
    many: (segment) => segment === '**',
    one: fitsSegment,
  });
}

/** Whether a path is a pattern rather than a name. */
export const isGlob = (path: string): boolean => /[*?]/.test(path);

function fitsSegment(pattern: string, name: string): boolean {
  return fits([...pattern], [...name], {
    many: (character) => character === '*',
    one: (character, other) => character === '?' || character === other,
  });
}

/** The usual walk with one way back: to the last element that stands for many, and one further. */
function fits(
  pattern: readonly string[],
  text: readonly string[],
  { many, one }: { many(element: string): boolean; one(element: string, other: string): boolean },
): boolean {
  let [p, t] = [0, 0];
  let back: { p: number; t: number } | null = null;
  while (t < text.length) {
    const element = pattern[p];
    if (element !== undefined && many(element)) {
      back = { p, t };
      p += 1;
    } else if (element !== undefined && one(element, text[t] as string)) {
      p += 1;
      t += 1;
    } else if (back !== null) {
      back = { p: back.p, t: back.t + 1 };
      p = back.p + 1;
      t = back.t;
    } else return false;
  }
  while (p < pattern.length && many(pattern[p] as string)) p += 1;
  return p === pattern.length;
}
