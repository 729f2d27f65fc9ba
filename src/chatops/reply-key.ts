import { createHmac, timingSafeEqual } from 'node:crypto';
import { canonicalJson } from '../json.ts';

/** 32 bytes. */
export type ReplyKey = Buffer;

/** The key of a bot, from its webhook secret: all processes of an app have the same one. */
export const replyKeyOf = (webhookSecret: string): ReplyKey =>
  createHmac('sha256', webhookSecret).update('modelgate: records of replies').digest();

/** HMAC-SHA-256 in hexadecimal. */
export const macOf = (value: unknown, key: ReplyKey): string =>
  createHmac('sha256', key).update(canonicalJson(value)).digest('hex');

export function isMacOf(mac: string, value: unknown, key: ReplyKey): boolean {
  const [given, wanted] = [Buffer.from(mac, 'hex'), Buffer.from(macOf(value, key), 'hex')];
  return given.length === wanted.length && timingSafeEqual(given, wanted);
}
