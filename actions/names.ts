/** Commands that are published as actions, in the order of the story. One folder each. */
export const actionNames = [
  'ingest',
  'validate',
  'features',
  'split',
  'train',
  'evaluate',
  'gate',
  'register',
  'promote',
  'rollback',
  'monitor',
  'run',
  'status',
] as const;
export type ActionName = (typeof actionNames)[number];

/** Actions that answer an event or ask about their own run, and are no command of the command line: their action.yml is written by hand. */
export const eventActionNames = ['authorize', 'chatops'] as const;

/** Actions whose result another job may take over; the others act on the registry, which jobs share. */
export const handingOver: readonly string[] = [
  'ingest',
  'validate',
  'features',
  'split',
  'train',
  'evaluate',
  'gate',
  'run',
] satisfies ActionName[];
