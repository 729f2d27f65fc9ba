import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Inbox } from '../../bot/inbox.ts';
import { openInbox, secretsOfInbox, shownInbox } from '../../bot/open-inbox.ts';
import { inboxConformance } from './inbox-conformance.ts';

let folder: string;
let file: string;
let inbox: Inbox;
const open = async () => {
  inbox = await openInbox(file);
  return inbox;
};
beforeEach(async () => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'modelgate-inbox-'));
  file = path.join(folder, 'bot.sqlite');
  await open();
});
afterEach(async () => {
  await inbox.close();
  rmSync(folder, { recursive: true, force: true });
});

describe('the inbox in a file', () => {
  inboxConformance({ open, current: () => inbox });

  it('belongs to one process, and to one user', async () => {
    const other = `import { DatabaseSync } from 'node:sqlite';
      new DatabaseSync(${JSON.stringify(file)}, { timeout: 100 }).exec('SELECT * FROM jobs');`;
    const asked = promisify(execFile)(process.execPath, ['--input-type=module', '--eval', other]);
    await expect(asked).rejects.toThrow(/locked/);
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });
});

describe('the URL of an inbox', () => {
  it('is shown without what is secret in it', () => {
    const url = 'postgres://ann:pass%20word@db.acme.com:5433/bot?password=other&sslmode=verify-full';
    expect(shownInbox(url)).toBe('postgres://db.acme.com:5433/bot');
    expect(secretsOfInbox(url)).toEqual(['pass%20word', 'pass word', 'other', 'other']);
    expect(shownInbox('/var/lib/bot.sqlite')).toBe('/var/lib/bot.sqlite');
    expect([secretsOfInbox('postgres://db/bot'), secretsOfInbox('bot.sqlite')]).toEqual([[], []]);
  });
});
