const units = { m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** Milliseconds of a length of time as the policy writes it: `30m`, `8h`, `2d`. */
export function milliseconds(duration: string): number {
  return Number(duration.slice(0, -1)) * units[duration.slice(-1) as keyof typeof units];
}
