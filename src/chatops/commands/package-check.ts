import type { Digest } from '../../json.ts';
import { verifyPackage } from '../../rollout/package.ts';
import type { ConfiguredModel } from '../context.ts';
import type { Checklist } from './checklist.ts';
import { refusalOf } from './refusal.ts';

/** Reads every byte of the package against its digest. */
export async function packageCheck(
  list: Checklist,
  { registry }: ConfiguredModel,
  digest: Digest,
): Promise<void> {
  const name = 'package';
  try {
    await verifyPackage(registry.store, digest);
    list.add({ name, ok: true, detail: `${digest.slice(0, 12)}, verified`, fix: null, reason: 'done' });
  } catch (error) {
    const refusal = refusalOf(error);
    if (refusal === null) throw error;
    const { reason, message, fix } = refusal;
    list.add({
      name,
      ok: false,
      detail: message,
      fix,
      reason: reason === 'internal' ? 'package_damaged' : reason,
    });
  }
}
