import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { NewFile } from './new-files.ts';

export const workflowFolder = '.github/workflows';

/** The workflow templates that come with ModelGate, by file name. */
export async function workflowTemplates(): Promise<Map<string, string>> {
  const folder = fileURLToPath(new URL('../../workflows-templates/', import.meta.url));
  const names = (await readdir(folder)).filter((name) => name.endsWith('.yml')).sort();
  const texts = await Promise.all(names.map((name) => readFile(`${folder}/${name}`, 'utf8')));
  return new Map(names.map((name, at) => [name, texts[at]!]));
}

/** A template as a repository with this default branch takes it. */
export function forBranch(text: string, branch: string): string {
  return text.replace(/^( +branches: )\[main\]$/gm, (_, key: string) => `${key}[${JSON.stringify(branch)}]`);
}

/** It publishes what the store holds: whoever copies it knows who can read the page. */
const byChoice = 'status-page.yml';

/** The workflows that every model repository starts with. */
export async function workflowFiles(branch: string): Promise<NewFile[]> {
  const templates = [...(await workflowTemplates())].filter(([name]) => name !== byChoice);
  return templates.map(([name, text]) => ({
    path: `${workflowFolder}/${name}`,
    what: 'workflow',
    content: { text: branch === 'main' ? text : forBranch(text, branch) },
  }));
}
