import { chmod, mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';

/** `gh api --method POST PATH --silent -f name=value …` and nothing else. */
const script = `#!/usr/bin/env node
const [api, flag, method, path, silent, ...fields] = process.argv.slice(2);
const known = api === 'api' && flag === '--method' && method === 'POST' && silent === '--silent';
const body = {};
for (let at = 0; at < fields.length; at += 2) {
  const [, name, value] = /^([^=]+)=(.*)$/s.exec(fields[at + 1] ?? '') ?? [];
  if (!known || fields[at] !== '-f' || name === undefined) throw new Error('unknown: gh ' + process.argv.slice(2).join(' '));
  body[name] = value;
}
const response = await fetch(process.env.GITHUB_API_URL + '/' + path, {
  method,
  headers: { authorization: 'Bearer ' + process.env.GH_TOKEN, 'content-type': 'application/json' },
  body: JSON.stringify(body),
});
if (!response.ok) {
  console.error('gh: HTTP ' + response.status + ' ' + (await response.text()));
  process.exitCode = 1;
}
`;

/** Puts a stand-in for GitHub's command line, which hosted runners have, into a folder. */
export async function putGitHubCommand(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(path.join(folder, 'gh.mjs'), script);
  const file = path.join(folder, 'gh');
  await writeFile(file, `#!/bin/sh\nexec '${process.execPath}' '${path.join(folder, 'gh.mjs')}' "$@"\n`);
  await chmod(file, 0o755);
}
