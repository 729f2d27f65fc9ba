export { complete } from './complete.ts';
export {
  findOperation,
  type Json,
  type Operation,
  problems,
  unknownFields,
  webhookSchema,
} from './description.ts';
export type { OperationId } from './operations.ts';
