import type { Config } from '../config/schema.ts';
import type { GitHub } from '../github/port.ts';
import type { Logger } from '../logger.ts';
import type { Registry } from '../registry/registry.ts';
import type { ChatopsPolicy } from './policy.ts';
import type { ReplyKey } from './reply-key.ts';

/** One model of the repository, as the default branch configures it at a recorded commit. */
export interface ConfiguredModel {
  /** Path of its modelgate.yaml in the repository. */
  file: string;
  config: Config;
  registry: Registry;
  /** Files, folders and patterns that it depends on beside its own folder, from the repository's root. */
  depends?: readonly string[];
}

/** What every handler works with, in the bot and in Actions alike. Nothing of a pull request's head is in it. */
export interface ChatopsContext {
  github: GitHub;
  /** By the model's name. */
  models: ReadonlyMap<string, ConfiguredModel>;
  policy: ChatopsPolicy;
  /** The default branch, and the commit from which configuration and policy were read. */
  base: { branch: string; sha: string };
  /**
   * Where there is one, records of replies are signed with it, and others are not believed: whoever may write can edit
   * our comments. Jobs of GitHub Actions have no secret to keep one.
   */
  replyKey?: ReplyKey;
  now(): Date;
  logger: Logger;
}

/** A comment that may be a command; made from a webhook's payload, which was parsed at the edge. */
export interface IncomingComment {
  id: number;
  body: string;
  author: string;
  authorType: string;
  /** Set where another app wrote it in a person's name. */
  viaApp: boolean;
  createdAt: string;
  /** Issue or pull request. */
  number: number;
  isPullRequest: boolean;
}

/** How a command ended, in words of a closed set; the reply and the log carry it. */
export interface CommandResult {
  decision: 'done' | 'started' | 'refused' | 'failed' | 'planned';
  reason: ReasonCode;
  /** One plain sentence. */
  summary: string;
  /** What was looked at, in order. */
  checks: { name: string; ok: boolean | null; detail: string; fix: string | null }[];
  /** What was started; its end is reported later under the same operation. */
  operation: Operation | null;
  /** More Markdown, already escaped. */
  details: string | null;
}

/** Why a command was refused or what it did. A closed set: others' scripts read it. */
export const reasonCodes = [
  'done',
  'nothing_to_do',
  'started',
  'planned',
  'usage',
  'not_permitted',
  'self_approval',
  'fork_refused',
  'not_open',
  'wrong_base',
  'head_moved',
  'champion_moved',
  'too_old',
  'not_reviewed',
  'checks_not_green',
  'gate_failed',
  'gate_undecided',
  'drift_found',
  'no_candidate',
  'order',
  'locked',
  'frozen',
  'retired',
  'approval_needed',
  'confirm_needed',
  'digest_mismatch',
  'no_previous',
  'package_damaged',
  'ambiguous',
  'unknown_model',
  'unknown_environment',
  'unavailable',
  'internal',
] as const;
export type ReasonCode = (typeof reasonCodes)[number];

/** Something that a workflow carries out: found again by its op_id, in the registry and on GitHub. */
export interface Operation {
  /** sha256 of repository, comment and command, hexadecimal: the same command twice is one operation. */
  opId: string;
  kind: 'promote' | 'rollback' | 'train' | 'retrain' | 'drift';
  workflow: string;
  inputs: Readonly<Record<string, string>>;
  model: string | null;
  environment: string | null;
  /** Null where GitHub did not tell: found by op_id in the run's name. */
  run: { id: number; url: string } | null;
  deployment: number | null;
}
