/** The stages of a run, in order. */
export const stageOrder = [
  'ingest',
  'validate',
  'features',
  'split',
  'train',
  'evaluate',
  'noise',
  'gate',
  'register',
] as const;
export type StageName = (typeof stageOrder)[number];
