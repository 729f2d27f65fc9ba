import { z } from 'zod';
import { Digest } from '../json.ts';
import { Name } from '../names.ts';
import { type Copied, copyModel } from '../registry/export.ts';
import { Registry } from '../registry/registry.ts';
import { openStorage, storeUrl } from '../store/open.ts';
import { Store } from '../store/store.ts';
import { defineStage, type StageContext, type StageResult } from './define.ts';

const inputs = (what: string) => z.object({ model: Name, store: z.string().min(1).max(4096).describe(what) });
const count = z.number().int().nonnegative();
const outputs = z.object({
  model: Name,
  from: z.string(),
  to: z.string(),
  entries: count,
  entries_sent: count,
  manifests: count,
  objects: count,
  sent: count,
  bytes: count,
  seq: count,
  head: Digest,
});

/** Copies a model with its history to another store. */
export const exportModel = defineStage({
  name: 'export',
  description: 'Copies a model with its whole history to another store.',
  inputs: inputs('Where to: a folder, or s3://bucket/prefix.'),
  outputs,
  cache: false,
  run: async ({ model, store }, context) => {
    const other = await openOther({ store, option: '--output' }, context);
    return told(model, context.registry, other, await copyModel(context.registry, other, model));
  },
});

/** Copies a model with its history from another store. */
export const importModel = defineStage({
  name: 'import',
  description: 'Copies a model with its whole history from another store into this one.',
  inputs: inputs('Where from: a folder, or s3://bucket/prefix.'),
  outputs,
  cache: false,
  run: async ({ model, store }, context) => {
    const other = await openOther({ store, option: '--input' }, context);
    return told(model, other, context.registry, await copyModel(other, context.registry, model));
  },
});

async function openOther(
  { store, option }: { store: string; option: string },
  { logger, now }: StageContext,
): Promise<Registry> {
  const storage = await openStorage(storeUrl(store), option);
  return new Registry({ store: new Store(storage), now, logger });
}

function told(
  model: string,
  from: Registry,
  to: Registry,
  copied: Copied,
): StageResult<z.infer<typeof outputs>> {
  const { entries, entries_sent, sent, bytes, seq, head } = copied;
  const nothing = entries_sent + sent === 0;
  return {
    verdict: 'pass',
    reason_code: nothing ? 'nothing_to_do' : 'done',
    summary: nothing
      ? `${model} is there already, all ${entries} entries of its log.`
      : `${model} is copied: ${entries_sent} of ${entries} log entries and ${sent} objects (${bytes} bytes) were sent; its head is ${seq}:${head.slice(0, 12)} in both stores.`,
    outputs: { model, from: from.store.storage.url, to: to.store.storage.url, ...copied },
  };
}
