import { binomialCdf, binomialPmf, binomialSf } from './discrete.ts';
import { chiSquareSf } from './distributions.ts';

/** Tests of b = c, given b + c discordant pairs: b, A right and B wrong; c, A wrong and B right. */
export interface McNemarResult {
  readonly b: number;
  readonly c: number;
  /** Two-sided exact binomial, min(1, 2 P(X ≤ min(b, c))), X ~ Binomial(b + c, ½). */
  readonly pExact: number;
  /** Two-sided mid-p, 2 (P(X < min) + ½ P(X = min)). */
  readonly pMidP: number;
  /** (b − c)² / (b + c), without continuity correction; 0 when there are no discordant pairs. */
  readonly chi2: number;
  readonly pChi2: number;
  /** One-sided mid-p for "B is worse", P(X > b) + ½ P(X = b); 1 without discordant pairs. */
  readonly pWorseMidP: number;
}

/**
 * McNemar's test. Source: Fagerland, Lydersen, Laake (2013), "The McNemar test for binary matched-pairs data:
 * mid-p and asymptotic are better than exact conditional", BMC Med. Res. Methodol. 13:91.
 */
export function mcnemar({ b, c }: { readonly b: number; readonly c: number }): McNemarResult {
  const n = b + c;
  if (n === 0) return { b, c, pExact: 1, pMidP: 1, chi2: 0, pChi2: 1, pWorseMidP: 1 };
  const law = { n, p: 0.5 };
  const least = Math.min(b, c);
  const cdf = binomialCdf(least, law);
  const pmf = binomialPmf(least, law);
  const chi2 = (b - c) ** 2 / n;
  return {
    b,
    c,
    pExact: Math.min(1, 2 * cdf),
    pMidP: b === c ? 1 : Math.min(1, 2 * cdf - pmf),
    chi2,
    pChi2: chiSquareSf(chi2, 1),
    pWorseMidP: b === c ? 0.5 : binomialSf(b, law) + 0.5 * binomialPmf(b, law),
  };
}
