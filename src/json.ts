import { createHash } from 'node:crypto';
import { z } from 'zod';

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** sha256 in lower-case hexadecimal: 64 characters. */
export type Digest = string;
export const Digest = z
  .string()
  .regex(/^[0-9a-f]{64}$/, 'expected a sha256 digest: 64 hexadecimal characters');

export function sha256(bytes: Uint8Array | string): Digest {
  return createHash('sha256').update(bytes).digest('hex');
}

/**
 * JSON with sorted keys and no white space, so that equal values have equal bytes and so equal digests.
 * `undefined` members are left out. Throws on NaN, infinities and anything that JSON cannot say.
 */
export function canonicalJson(value: unknown): string {
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new TypeError(`not a JSON number: ${value}`);
    return JSON.stringify(value);
  }
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value === 'object') {
    const members = Object.entries(value)
      .filter(([, member]) => member !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
      .map(([key, member]) => `${JSON.stringify(key)}:${canonicalJson(member)}`);
    return `{${members.join(',')}}`;
  }
  throw new TypeError(`not JSON: ${typeof value}`);
}

export function digestOf(value: unknown): Digest {
  return sha256(canonicalJson(value));
}

/** Arrays and objects inside one another: more would exhaust the stack of whoever walks through them. */
const deepest = 200;

/** Parses JSON from a stranger: bounded in size and depth, and without keys that could reach a prototype. */
export function parseJson(text: string, limit = 1_000_000): Json {
  if (text.length > limit) throw new SyntaxError(`JSON is longer than ${limit} characters`);
  if (depthOf(text) > deepest) throw new SyntaxError(`JSON is nested deeper than ${deepest}`);
  // looking at every key is twenty times slower than parsing: only where a text could hold one, escaped or not
  if (!['"__proto__"', '"constructor"', '"prototype"', '\\u'].some((part) => text.includes(part)))
    return JSON.parse(text) as Json;
  return JSON.parse(text, (key, value) => {
    if (key === '__proto__' || key === 'constructor' || key === 'prototype') {
      throw new SyntaxError(`JSON holds the key ${JSON.stringify(key)}`);
    }
    return value;
  }) as Json;
}

/** How deep brackets outside of strings go, before anything is parsed; stops at the first that is too deep. */
function depthOf(text: string): number {
  const marks = /["[\]{}]/g;
  let depth = 0;
  let most = 0;
  while (most <= deepest && marks.test(text)) {
    const character = text[marks.lastIndex - 1];
    if (character === '"') marks.lastIndex = endOfString(text, marks.lastIndex);
    else if (character === '[' || character === '{') most = Math.max(most, ++depth);
    else depth -= 1;
  }
  return most;
}

/** The place behind the closing quote of the string whose first character is at `start`. */
function endOfString(text: string, start: number): number {
  for (let from = start; ; ) {
    const quote = text.indexOf('"', from);
    if (quote === -1) return text.length + 1;
    let slashes = quote;
    while (slashes > start && text[slashes - 1] === '\\') slashes--;
    if ((quote - slashes) % 2 === 0) return quote + 1;
    from = quote + 1;
  }
}
