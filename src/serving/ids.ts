import { randomBytes } from 'node:crypto';

const uuid7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

let lastMs = 0;
let counter = 0;

/**
 * A UUIDv7 (RFC 9562): 48 bits of Unix milliseconds, a 12-bit counter that keeps the ids of one process in
 * order (method 1 of section 6.2), 62 random bits. The time can be read back with `timeOfId`.
 */
export function newId(nowMs: number): string {
  const bytes = randomBytes(16);
  if (nowMs > lastMs) {
    lastMs = nowMs;
    counter = bytes.readUInt16BE(6) & 0x7ff; // the top bit stays free, so that the counter has room
  } else if (counter < 0xfff) {
    counter += 1;
  } else {
    lastMs += 1; // more than 2,048 ids in a millisecond, or a clock set back: borrow from the future
    counter = 0;
  }
  bytes.writeUIntBE(lastMs, 0, 6);
  bytes.writeUInt16BE(0x7000 | counter, 6);
  bytes.writeUInt8(0x80 | (bytes.readUInt8(8) & 0x3f), 8);
  const hex = bytes.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}

/** Unix milliseconds of an id made by `newId`, or null for any other text. */
export function timeOfId(id: string): number | null {
  return uuid7.test(id) ? Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16) : null;
}
