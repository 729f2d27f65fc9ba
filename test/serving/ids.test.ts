import { describe, expect, it } from 'vitest';
import { newId, timeOfId } from '../../src/serving/ids.ts';

describe('prediction ids', () => {
  it('are UUIDv7: their time can be read back, and they are in order', () => {
    const now = Date.now();
    const ids = Array.from({ length: 5000 }, () => newId(now));
    expect(ids[0]).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(timeOfId(ids[0]!)).toBe(now);
    expect(new Set(ids).size).toBe(5000);
    expect([...ids].sort()).toEqual(ids);
    expect(timeOfId(ids.at(-1)!)! - now).toBeLessThan(5); // borrowed milliseconds are few
  });

  it('stay in order when the clock is set back', () => {
    const later = newId(Date.now() + 50);
    expect(newId(Date.now()) > later).toBe(true);
  });

  it.each(['', 'x', '0190f3a2-b1c0-4000-8000-000000000000', '../0190f3a2'])('is not an id: %j', (text) => {
    expect(timeOfId(text)).toBeNull();
  });
});
