import { z } from 'zod';

const Role = z.enum(['read', 'triage', 'write', 'maintain', 'admin']);
const login = z.string().min(1).max(100);
const team = z.string().regex(/^[A-Za-z0-9_.-]{1,100}\/[A-Za-z0-9_.-]{1,100}$/, 'expected organisation/team');

/** Who may do something: one of these people, or a member of one of these teams, and at least this role. */
const Who = z.strictObject({
  role: Role.default('write'),
  people: z.array(login).max(100).optional(),
  teams: z.array(team).max(20).optional(),
});
export type Who = z.infer<typeof Who>;

/** `chatops:` of modelgate.yaml, read from the default branch alone. Left out: these defaults. */
export const ChatopsPolicy = z.strictObject({
  environments: z
    .record(
      z.string(),
      z.strictObject({
        promote: Who.optional(),
        rollback: Who.optional(),
        lock: Who.optional(),
        reviews: z
          .number()
          .int()
          .min(0)
          .max(6)
          .optional()
          .describe(
            'Reviews of the head commit by people who may write, other than its author. Left out: one for the last environment.',
          ),
        confirm: z
          .boolean()
          .optional()
          .describe('Asks for --confirm=<first 12 digits of the digest>. Left out: in the last environment.'),
        separate_author: z
          .boolean()
          .optional()
          .describe('Author of the pull request and the one who promotes may not be the same.'),
      }),
    )
    .default({})
    .describe('By environment. Left out: the role write, and maintain for the last environment.'),
  train: Who.prefault({ role: 'maintain' }),
  retrain: Who.prefault({ role: 'write' }),
  drift: Who.prefault({ role: 'triage' }),
  status: Who.prefault({ role: 'read' }),
  allow_fork_training: z
    .boolean()
    .default(false)
    .describe(
      "Whether a fork's commit may ever be trained, after `/ok-to-train <sha>` by a person who may train.",
    ),
  lock_ttl: z
    .string()
    .regex(/^\d+(m|h|d)$/)
    .default('8h'),
  command_age: z
    .string()
    .regex(/^[1-9]\d{0,3}(m|h|d)$/)
    .default('1h')
    .describe(
      'How old a comment may be when it is heard, for commands that move, train, stop or unlock something.',
    ),
  workflows: z
    .strictObject({
      pull_request: z.string().default('pull-request.yml'),
      train: z.string().default('train.yml'),
      promote: z.string().default('promote.yml'),
      rollback: z.string().default('rollback.yml'),
      monitor: z.string().default('monitor.yml'),
      release: z.string().default('release.yml'),
    })
    .prefault({})
    .describe("How workflows are called in this repository, where not by their template's name."),
  /** Schedules that must be heard of: the bot opens an issue when one is silent for longer than this. */
  heartbeats: z
    .record(z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/), z.string().regex(/^[1-9]\d{0,3}(h|d)$/))
    .default({ monitor: '26h' }),
  durations: z
    .record(
      z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/),
      z.string().regex(/^[1-9]\d{0,3}(m|h|d)$/, 'expected a number and m, h or d, e.g. 2h'),
    )
    .default({})
    .describe(
      'How long a run of a workflow may take, by the names of `heartbeats`: the bot opens an issue for one that takes longer, whatever it gives.',
    ),
  /** So many quiet checks in a row end an alarm. */
  quiet_checks: z.number().int().min(1).max(20).default(2),
  /** Who is mentioned when a scheduled run fails and it is not known why. */
  page: z
    .array(z.string().regex(/^[A-Za-z0-9][A-Za-z0-9-]{0,38}$/, 'expected a login'))
    .max(20)
    .default([]),
});
export type ChatopsPolicy = z.infer<typeof ChatopsPolicy>;
