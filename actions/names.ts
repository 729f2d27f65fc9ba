/** Actions that call a command, in the order of the story. One folder each. */
export const actionNames = [
  'models',
  'ingest',
  'validate',
  'features',
  'split',
  'train',
  'scan',
  'evaluate',
  'gate',
  'register',
  'promote',
  'rollback',
  'monitor',
  'poll',
  'run',
  'status',
  'verify',
  'reconcile',
  'site',
] as const;
export type ActionName = (typeof actionNames)[number];

/** The command of an action, where it has another name: a folder and an input hold one word. */
const commandNames: Partial<Record<ActionName, string>> = {
  verify: 'registry verify',
  reconcile: 'registry reconcile',
};

/** The name of the command that an action calls. A name that no action has stays as it is. */
export const commandOf = (action: string): string => commandNames[action as ActionName] ?? action;

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
