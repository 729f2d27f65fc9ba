import path from 'node:path';
import type { Syscall } from './syscalls.ts';

/** A change that the disk may or may not hold after a power cut. */
export type Change =
  /** A name in a folder that now means an inode, or (null) nothing. */
  | { kind: 'entry'; folder: number; name: string; inode: number | null }
  /** A rename: both names change at once, as journaling file systems do. */
  | {
      kind: 'rename';
      from: { folder: number; name: string };
      to: { folder: number; name: string };
      inode: number;
    }
  | { kind: 'data'; inode: number; offset: number; bytes: Buffer };

/**
 * The disk under one folder, as POSIX promises it and not more: a file's bytes are safe after an fsync of the
 * file, a name after an fsync of its folder, in no order beyond that. Fed with the system calls of a trace.
 */
export class Disk {
  /** All changes so far, oldest first. */
  readonly changes: Change[] = [];
  /** Of which the disk is free to lose these (indices). */
  readonly unsynced = new Set<number>();
  private readonly top: string;
  /** Inodes that are folders; 0 is the top. */
  readonly folders = new Set([0]);
  /** What the processes see: everything kept. */
  private readonly names = new Map<number, Map<string, number>>([[0, new Map()]]);
  private readonly open = new Map<string, { inode: number; offset: number }>();
  private inodes = 1;

  /** `top` is a folder that is there before the trace begins, and safe. */
  constructor(top: string) {
    this.top = top;
  }

  /** Everything so far is on the disk. */
  settle(): void {
    this.unsynced.clear();
  }

  /** A process is gone: its descriptors are closed. */
  forgetDescriptors(): void {
    this.open.clear();
  }

  /** Takes a call in; says whether it changed the disk or what is safe on it. */
  apply(call: Syscall): boolean {
    const { name, args, result } = call;
    const [first, second] = call.strings.map((text) => this.inside(text.toString('utf8')));
    const descriptor = /^(\d+)/.exec(args)?.[1] ?? '';
    const handle = this.open.get(descriptor);
    if (result === null || result < 0) {
      if (name === 'close') this.open.delete(descriptor);
      return false;
    }
    switch (name) {
      case 'open':
      case 'openat':
        return first != null && this.opened(first, args, result);
      case 'close':
        this.open.delete(descriptor);
        return false;
      case 'write':
        if (handle === undefined) return false;
        this.change({
          kind: 'data',
          inode: handle.inode,
          offset: handle.offset,
          bytes: call.strings[0]!.subarray(0, result),
        });
        handle.offset += result;
        return true;
      case 'fsync':
      case 'fdatasync':
        if (handle !== undefined) this.synced(handle.inode, name === 'fsync');
        return handle !== undefined;
      case 'mkdir':
        if (first == null) return false;
        this.folders.add(this.inodes);
        this.names.set(this.inodes, new Map());
        this.put(first, this.inodes++);
        return true;
      case 'link':
      case 'linkat':
        if (first == null || second == null) return refuse(call, first ?? second);
        this.put(second, this.find(first));
        return true;
      case 'rename':
      case 'renameat':
      case 'renameat2':
        if (first == null || second == null) return refuse(call, first ?? second);
        this.rename(first, second);
        return true;
      case 'unlink':
        if (first == null) return false;
        this.put(first, null);
        return true;
      default:
        return refuse(call, first ?? second ?? handle);
    }
  }

  private opened(file: string, args: string, descriptor: number): boolean {
    if (/O_APPEND/.test(args)) throw new Error(`the disk's model knows no O_APPEND: ${file}`);
    const known = file === '' ? 0 : this.lookup(file);
    const handle = { inode: known ?? this.inodes, offset: 0 };
    this.open.set(String(descriptor), handle);
    if (known !== null) {
      if (/O_TRUNC/.test(args)) throw new Error(`the disk's model knows no truncation: ${file}`);
      return false;
    }
    if (!/O_CREAT/.test(args)) throw new Error(`the disk's model does not know ${file}`);
    this.put(file, this.inodes++);
    return true;
  }

  private rename(from: string, to: string): void {
    const inode = this.find(from);
    const [old, young] = [this.place(from), this.place(to)];
    this.names.get(old.folder)?.delete(old.name);
    this.names.get(young.folder)?.set(young.name, inode);
    this.change({ kind: 'rename', from: old, to: young, inode });
  }

  private put(file: string, inode: number | null): void {
    const { folder, name } = this.place(file);
    if (inode === null) this.names.get(folder)?.delete(name);
    else this.names.get(folder)?.set(name, inode);
    this.change({ kind: 'entry', folder, name, inode });
  }

  private change(change: Change): void {
    this.unsynced.add(this.changes.length);
    this.changes.push(change);
  }

  private synced(inode: number, names: boolean): void {
    for (const index of this.unsynced) {
      const change = this.changes[index]!;
      if (change.kind === 'data' ? change.inode === inode : names && foldersOf(change).includes(inode))
        this.unsynced.delete(index);
    }
  }

  /** The path under the top, or null when it lies elsewhere. */
  private inside(file: string): string | null {
    if (file === this.top) return '';
    return file.startsWith(this.top + path.sep) ? file.slice(this.top.length + 1) : null;
  }

  private place(file: string): { folder: number; name: string } {
    const folder = path.dirname(file);
    return { folder: folder === '.' ? 0 : this.find(folder), name: path.basename(file) };
  }

  private find(file: string): number {
    const inode = this.lookup(file);
    if (inode === null) throw new Error(`the disk's model does not know ${file}`);
    return inode;
  }

  private lookup(file: string): number | null {
    let inode = 0;
    for (const name of file.split('/')) {
      const next = this.names.get(inode)?.get(name);
      if (next === undefined) return null;
      inode = next;
    }
    return inode;
  }
}

/** The folders that a change of names stands in: a rename is safe when one of the two is. */
export function foldersOf(change: Change): number[] {
  if (change.kind === 'data') return [];
  return change.kind === 'entry' ? [change.folder] : [change.from.folder, change.to.folder];
}

/** A call that changes files and that the model does not know, on something of the store: the proof would be blind. */
function refuse(call: Syscall, touched: unknown): false {
  if (touched == null) return false;
  throw new Error(`the disk's model does not know ${call.name}`);
}
