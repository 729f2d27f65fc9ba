import type { BotEvent } from './events.ts';

export type JobState = 'new' | 'running' | 'done' | 'parked';

/** What is to be worked on. Two with the same key are one. */
export interface NewJob {
  /** GitHub's id of the delivery, the same for each copy of it; null for what the bot gives itself. */
  guid: string | null;
  key: string;
  /** Jobs of one lane are worked on one after another. */
  lane: string;
  /** Smaller is sooner. */
  priority: number;
  /** The operation that it is about, where there is one. */
  opId: string | null;
  event: BotEvent;
}

export interface Job extends NewJob {
  id: number;
  /** How often it was begun, this time included. */
  attempts: number;
  receivedAt: Date;
}

/** A command that has started something whose end is not told yet. */
export interface OpenOperation {
  opId: string;
  lane: string;
  event: Extract<BotEvent, { kind: 'comment' }>;
}

/**
 * Where deliveries wait until they are worked on. Each method is durable when it returns. Kept by one process at a
 * time: whoever opens it owns it, and finds what the one before was working on as new.
 */
export interface Inbox {
  /** `known`: this delivery, or another one about the same, is there already. */
  put(job: NewJob, now: Date): 'stored' | 'known';
  /** Takes the next job that is due, of a lane where nothing is being worked on. */
  claim(request: { now: Date; pausedInstallations: readonly number[] }): Job | null;
  /** `open`: what it started goes on. */
  finish(id: number, result: { now: Date; open: boolean }): void;
  retry(id: number, again: { due: Date; error: string }): void;
  /** It is not tried again by itself. */
  park(id: number, end: { now: Date; error: string }): void;
  has(guid: string): boolean;
  operation(opId: string): OpenOperation | null;
  /** Those whose end should be looked for now; each is given out again after a growing while. */
  openOperations(now: Date): OpenOperation[];
  closeOperation(opId: string): void;
  counts(): { state: JobState; kind: string; count: number }[];
  /** When the oldest job came that is not done. */
  oldest(): Date | null;
  note(name: string): string | null;
  setNote(name: string, value: string): void;
  /** Forgets what was done before; GitHub sends nothing again after a week. */
  forget(before: Date): number;
  close(): void;
}
