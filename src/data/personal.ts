import type { Contract } from './contract.ts';

const classes = /^(restricted|confidential|personal|pii|sensitive)$/i;
const tags = /^(personal|personal[ _-]data|pii|sensitive)$/i;

/**
 * The columns that a contract marks as personal: `classification: restricted` or `confidential` (also `personal`,
 * `pii`, `sensitive`), or a tag `personal`, `pii` or `sensitive`, on the column or on its whole table.
 */
export function personalColumns({ table }: Pick<Contract, 'table'>): string[] {
  const whole = (table.tags ?? []).some((tag) => tags.test(tag.trim()));
  return table.properties
    .filter(
      (property) =>
        whole ||
        classes.test((property.classification ?? '').trim()) ||
        (property.tags ?? []).some((tag) => tags.test(tag.trim())),
    )
    .map((property) => property.name);
}
