import { runAuthorize } from '../run-authorize.ts';

await runAuthorize();
