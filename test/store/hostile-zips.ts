import type { Random } from '../../src/stats/random.ts';
import { type Member, zip } from '../actions/zip-writer.ts';
import { payloads } from './hostile-payloads.ts';

const plain = { content: 'x' };
const zeros = (length: number) => Buffer.alloc(length);
const times = (count: number, member: (n: number) => Member) =>
  Array.from({ length: count }, (_, n) => member(n));

/** Archives that each try one thing, told by name; those that are lists of members are packed as they say. */
export function craftedArchives(jail: string): [string, readonly Member[] | Buffer][] {
  const named = payloads(jail)
    .filter((name) => Buffer.byteLength(name) < 60_000)
    .map((name): [string, readonly Member[]] => [
      `name ${JSON.stringify(name.slice(0, 60))}`,
      [{ ...plain, name }],
    ]);
  const bytes = (...codes: number[]) => Buffer.from(codes);
  const modes = [0o120777, 0o010644, 0o020644, 0o060644, 0o140755, 0o110644, 0o000000, 0o104755];
  const hardLink = Buffer.concat([
    Buffer.from([0x6e, 0x75, 14 + 11, 0]),
    zeros(14),
    Buffer.from('/etc/passwd'),
  ]);
  const sound = zip([
    { name: 'outcome.json', content: '{}' },
    { name: 'handoff/objects/ab', content: 'y'.repeat(500) },
  ]);
  return [
    ...modes.map((mode): [string, Member[]] => [
      `mode ${mode.toString(8)}`,
      [{ name: 'file', content: '/etc/passwd', mode }],
    ]),
    [
      'link, then a file below it',
      [
        { name: 'a', content: jail, mode: 0o120777 },
        { name: 'a/evil', content: 'x' },
      ],
    ],
    [
      'a file, then one below it',
      [
        { name: 'a', content: 'x' },
        { name: 'a/evil', content: 'x' },
      ],
    ],
    [
      'a file below, then one in the folder’s place',
      [
        { name: 'a/b', content: 'x' },
        { name: 'a', content: 'x' },
      ],
    ],
    ['hard link field', [{ name: 'a', content: '', extra: hardLink }]],
    ['other name in front of the content', [{ name: 'a', content: 'x', localName: '../evil' }]],
    [
      'same name twice',
      [
        { ...plain, name: 'a' },
        { ...plain, name: 'a' },
      ],
    ],
    [
      'same name but for case',
      [
        { ...plain, name: 'a' },
        { ...plain, name: 'A' },
      ],
    ],
    [
      'same name but for composition',
      [
        { ...plain, name: 'é' },
        { ...plain, name: 'e\u0301' },
      ],
    ],
    ['overlong UTF-8', [{ ...plain, name: bytes(0xc0, 0xae, 0xc0, 0xae, 0x2f, 0x65) }]],
    ['no UTF-8', [{ ...plain, name: bytes(0xff, 0xfe, 0x2f) }]],
    ['half a surrogate', [{ ...plain, name: bytes(0xed, 0xa0, 0x80) }]],
    ['byte order mark', [{ ...plain, name: bytes(0xef, 0xbb, 0xbf, 0x61) }]],
    ['bomb that says little', [{ name: 'a', content: zeros(200_000_000), claims: 1000 }]],
    ['bomb that says much', [{ name: 'a', content: zeros(1000), claims: 4_000_000_000 }]],
    ['bomb that says the truth', [{ name: 'a', content: zeros(100_000_000) }]],
    ['bomb in many files', times(80, (n) => ({ name: `f${n}`, content: zeros(1_000_000) }))],
    [
      'bomb of shared content',
      times(5000, (n) => ({ name: `f${n}`, content: zeros(1_000_000), shared: n > 0 })),
    ],
    ['100,000 entries', times(100_000, (n) => ({ name: `f${n}`, content: '', shared: n > 0 }))],
    [
      '60,000 folders',
      times(60_000, (n) => ({ name: `d${n}/`, content: '', mode: 0o040755, shared: n > 0 })),
    ],
    ['encrypted', [{ ...plain, name: 'a', flags: 1 }]],
    ['packed in an unknown way', [{ ...plain, name: 'a', method: 99 }]],
    ['stored, but of another size', [{ name: 'a', content: 'xxxxxx', method: 0, claims: 100_000 }]],
    [
      'a 64-bit size in the extra field',
      [
        {
          name: 'a',
          content: 'x',
          claims: 0xffffffff,
          extra: Buffer.concat([bytes(1, 0, 8, 0), Buffer.alloc(8, 0xff)]),
        },
      ],
    ],
    [
      'an extra field that is cut off',
      [{ name: 'a', content: 'x', claims: 0xffffffff, extra: bytes(1, 0, 200, 0) }],
    ],
    [
      'too deep',
      [
        {
          ...plain,
          name: times(40, () => ({ ...plain, name: 'd' }))
            .map(() => 'd')
            .join('/'),
        },
      ],
    ],
    ['two archives in one', Buffer.concat([sound, zip([{ name: '../evil', content: 'x' }])])],
    ['something in front', Buffer.concat([zeros(1000), sound])],
    ['a tar file', Buffer.concat([Buffer.from('../evil'), zeros(2000)])],
    ['gzip', bytes(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3)],
    ['nothing', Buffer.alloc(0)],
    ...named,
  ];
}

/** A sound archive with some bytes changed. */
export function changedArchive(random: Random): [string, Buffer] {
  const bytes = zip([
    { name: 'outcome.json', content: '{}' },
    { name: 'handoff/objects/ab', content: 'y'.repeat(500) },
    { name: 'handoff/objects/cd', content: 'z'.repeat(50) },
  ]);
  const changes = Array.from({ length: 1 + random.below(4) }, () => random.below(bytes.length));
  for (const at of changes) bytes[at] = random.below(256);
  return [`bytes changed at ${changes.join(', ')}`, bytes];
}
