/**
 * Lower bound of θ₁ − θ₂ from independent estimates and their one-sided bounds at the same level: (θ̂₁ − θ̂₂) −
 * √((θ̂₁ − l₁)² + (u₂ − θ̂₂)²). It keeps what is uneven in the two bounds, and is the usual one where both are normal.
 *
 * Source: Zou & Donner (2008), "Construction of confidence limits about effect measures: a general approach",
 * Statistics in Medicine 27:1693-1702.
 */
export function differenceLowerBound(
  first: { readonly value: number; readonly low: number },
  second: { readonly value: number; readonly high: number },
): number {
  return first.value - second.value - Math.hypot(first.value - first.low, second.high - second.value);
}
