import type { Digest } from '../json.ts';
import { keys } from '../store/keys.ts';
import type { Storage } from '../store/storage.ts';
import type { Findings } from './findings.ts';
import {
  encodeOperation,
  mergeRecords,
  pageNames,
  readPage,
  recordBytes,
  sameOperation,
  seqOf,
} from './operation-pages.ts';

/** Records of one page, in a buffer that grows: a million operations are 22 MB. */
interface Gathered {
  bytes: Buffer;
  length: number;
}

/**
 * The operation ids of a whole log, against which its index is checked. The fold sees only whether a new id is
 * one of the newest ones; this sees all.
 */
export class OperationIds {
  private readonly pages = new Map<string, Gathered>(
    pageNames.map((name) => [name, { bytes: Buffer.alloc(64 * recordBytes), length: 0 }]),
  );

  add(op_id: string, seq: number): void {
    const { page, record } = encodeOperation(op_id, seq);
    const gathered = this.pages.get(page)!;
    if (gathered.length === gathered.bytes.length) {
      gathered.bytes = Buffer.concat([gathered.bytes, Buffer.alloc(gathered.bytes.length)]);
    }
    record.copy(gathered.bytes, gathered.length);
    gathered.length += recordBytes;
  }

  /** Tells ids that two entries have, and pages of the index that are not what the log says. */
  async check(
    storage: Storage,
    model: string,
    { hashes, findings }: { hashes: ReadonlyMap<number, Digest>; findings: Findings },
  ): Promise<void> {
    for (const name of pageNames) {
      const records = this.records(name);
      const sorted = mergeRecords(Buffer.alloc(0), records);
      for (let at = recordBytes; at < sorted.length; at += recordBytes) {
        const [before, record] = [sorted.subarray(at - recordBytes), sorted.subarray(at)];
        if (!sameOperation(before, record)) continue;
        findings.bad(keys.log(model, seqOf(record)), `its operation id is that of entry ${seqOf(before)}`);
      }
      const page = await readPage(storage, model, name);
      // unreadable, or of another history: whoever meets it makes it again
      if (page === null || hashes.get(page.last) !== page.head) continue;
      const expected = records.filter((record) => seqOf(record) <= page.last);
      if (mergeRecords(Buffer.alloc(0), expected).equals(page.records)) continue;
      findings.bad(keys.operations(model, name), 'it does not hold the operations of the log');
    }
  }

  private records(name: string): Buffer[] {
    const { bytes, length } = this.pages.get(name)!;
    return Array.from({ length: length / recordBytes }, (_, index) =>
      bytes.subarray(index * recordBytes, (index + 1) * recordBytes),
    );
  }
}
