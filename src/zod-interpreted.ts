import { config } from 'zod';

/**
 * Schemas are walked, not compiled to functions of their own: in a run that parses each of them a few times, compiling
 * costs more than it saves, and nothing is gained where they are used for long. Imported before any schema is made.
 */
config({ jitless: true });
