import { runNamedAction } from '../run-action.ts';

await runNamedAction();
