import { runChatops } from '../run-chatops.ts';

await runChatops();
