import type { Json } from '../../../src/json.ts';
import type { Random } from '../../../src/stats/random.ts';

export function noise(random: Random, length: number): Buffer {
  return Buffer.from(Array.from({ length }, () => random.below(256)));
}

export function strangeName(random: Random): string {
  const names = [
    '000000000000.json',
    '00000000001.json',
    '0000000000009.json',
    '..json',
    '.hidden',
    'a b',
    'A'.repeat(64),
    'ü',
    '\u202ename',
    'x\ny',
    'x\u001b[2Jy',
    '-rf',
    '%2e%2e',
    'a\\b',
    'CON',
    'f'.repeat(64),
    'f'.repeat(255),
    '__proto__',
    'constructor.json',
    '😀.json',
  ];
  return names[random.below(names.length)]!;
}

/** One value somewhere in it is replaced, removed or added. */
export function spoil(value: Json, random: Random): Json {
  if (typeof value !== 'object' || value === null || random.below(5) === 0) return strangeValue(random);
  const copy = structuredClone(value) as Record<string, Json>;
  const members = Object.keys(copy);
  const member = members[random.below(Math.max(1, members.length))];
  const choice = random.below(10);
  if (member === undefined || choice === 0) copy[strangeName(random)] = strangeValue(random);
  else if (choice === 1) delete copy[member];
  else copy[member] = spoil(copy[member]!, random);
  return copy;
}

function strangeValue(random: Random): Json {
  const values: Json[] = [
    null,
    true,
    0,
    -1,
    1.5,
    1e308,
    2 ** 53,
    10 ** 18,
    '',
    'x'.repeat(100_000),
    '2026-13-45T99:00:00Z',
    '\u0000',
    '\ud800',
    'f'.repeat(64),
    [],
    {},
    [[[[]]]],
    Array.from({ length: 20_000 }, () => 0),
  ];
  return values[random.below(values.length)]!;
}
