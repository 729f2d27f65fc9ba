import { keys, storeLog } from '../store/keys.ts';
import type { Storage } from '../store/storage.ts';
import type { Placed } from './chain.ts';
import type { Findings } from './findings.ts';
import { emptyGcState, foldGc, type GcState } from './gc-state.ts';
import { gcStateDigest, readGcCheckpoint } from './store-log.ts';

/** The fold of the store's log, held against its checkpoint on the way. */
export class StoreLogFolding {
  private state = emptyGcState;
  private readonly checkpoint: GcState | null;
  private readonly findings: Findings;

  private constructor(checkpoint: GcState | null, findings: Findings) {
    this.checkpoint = checkpoint;
    this.findings = findings;
  }

  /** `last`: the number of the newest entry that a listing showed. */
  static async open(storage: Storage, last: number, findings: Findings): Promise<StoreLogFolding> {
    const checkpoint = await readGcCheckpoint(storage, last).catch(() => null);
    return new StoreLogFolding(checkpoint, findings);
  }

  /** Throws `log_damaged`. */
  add(placed: Placed): void {
    this.state = foldGc(this.state, [placed]);
    const { checkpoint } = this;
    if (checkpoint?.seq !== this.state.seq || gcStateDigest(checkpoint) === gcStateDigest(this.state)) return;
    this.findings.bad(keys.checkpoint(storeLog, 1), 'it is not the fold of the log');
  }
}
