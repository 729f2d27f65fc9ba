import type { UserError } from '../src/errors.ts';
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
 * Where deliveries wait until they are worked on. What a method did is durable when its promise resolves. A job that
 * was claimed belongs to the process that claimed it until that process says how it ended, or is gone: then it is new
 * again.
 */
export interface Inbox {
  /** `known`: this delivery, or another one about the same, is there already. */
  put(job: NewJob, now: Date): Promise<'stored' | 'known'>;
  /** Takes the next job that is due, of a lane where nothing is being worked on, by any process. */
  claim(request: { now: Date; pausedInstallations: readonly number[] }): Promise<Job | null>;
  /** `open`: what it started goes on. */
  finish(id: number, result: { now: Date; open: boolean }): Promise<void>;
  retry(id: number, again: { due: Date; error: string }): Promise<void>;
  /** It is not tried again by itself. */
  park(id: number, end: { now: Date; error: string }): Promise<void>;
  has(guid: string): Promise<boolean>;
  operation(opId: string): Promise<OpenOperation | null>;
  /** Those whose end should be looked for now; each is given out again, once, after a growing while. */
  openOperations(now: Date): Promise<OpenOperation[]>;
  closeOperation(opId: string): Promise<void>;
  counts(): Promise<{ state: JobState; kind: string; count: number }[]>;
  /** When the oldest job came that is not done. */
  oldest(): Promise<Date | null>;
  note(name: string): Promise<string | null>;
  setNote(name: string, value: string): Promise<void>;
  /** Forgets what was done or parked before; GitHub sends nothing again after a week. */
  forget(before: Date): Promise<number>;
  /** Whether this process does what only one should do: the first that asks does it, until it is gone. */
  lead(): Promise<boolean>;
  /** Resolves when others may take what this process has claimed: it must stop at once. */
  readonly lost: Promise<UserError>;
  /** Gives back what was claimed. */
  close(): Promise<void>;
}
