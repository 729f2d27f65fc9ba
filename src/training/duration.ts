const units = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** Milliseconds of a duration of the configuration: a number and s, m, h or d. */
export function milliseconds(duration: string): number {
  const match = /^(\d+)([smhd])$/.exec(duration);
  if (match === null) throw new TypeError(`not a duration: ${duration}`);
  // a timer holds 31 bits
  return Math.min(Number(match[1]) * units[match[2] as keyof typeof units], 2_147_483_647);
}
