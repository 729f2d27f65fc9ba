import { deflateRawSync } from 'node:zlib';

export interface Member {
  /** Bytes where text cannot say it. */
  name: string | Buffer;
  content: string | Buffer;
  /** Unix mode; a plain file unless told. */
  mode?: number;
  /** The size that the directory claims. */
  claims?: number;
  flags?: number;
  /** How the directory says that it is packed; it is deflated. */
  method?: number;
  /** The name in front of the content, where it differs from the directory's. */
  localName?: string;
  /** Extra fields of the directory. */
  extra?: Buffer;
  /** Has no content of its own: the directory points to the member before it. */
  shared?: boolean;
}

/** A zip with a central directory that says whatever a test wants it to say. */
export function zip(members: readonly Member[]): Buffer {
  const files: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  let before = { offset: 0, length: 0 };
  for (const member of members) {
    const { content, mode = 0o100644, claims, flags = 0, method = 8, extra = Buffer.alloc(0) } = member;
    const name = Buffer.from(member.name);
    if (member.shared !== true) {
      const packed = deflateRawSync(content);
      const localName = Buffer.from(member.localName ?? name);
      files.push(localHeader(localName), localName, packed);
      before = { offset, length: packed.length };
      offset += 30 + localName.length + packed.length;
    }
    const central = Buffer.alloc(46);
    central.writeUInt32LE(0x02014b50, 0);
    central.writeUInt8(3, 5);
    central.writeUInt16LE(flags, 8);
    central.writeUInt16LE(method, 10);
    central.writeUInt32LE(before.length, 20);
    central.writeUInt32LE(claims ?? Buffer.byteLength(content), 24);
    central.writeUInt16LE(name.length, 28);
    central.writeUInt16LE(extra.length, 30);
    central.writeUInt32LE((mode << 16) >>> 0, 38);
    central.writeUInt32LE(before.offset, 42);
    directory.push(central, name, extra);
  }
  const entries = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(Math.min(members.length, 0xffff), 10);
  end.writeUInt32LE(entries.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...files, entries, end]);
}

function localHeader(name: Buffer): Buffer {
  const local = Buffer.alloc(30);
  local.writeUInt32LE(0x04034b50, 0);
  local.writeUInt16LE(8, 8);
  local.writeUInt16LE(name.length, 26);
  return local;
}
