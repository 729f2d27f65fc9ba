/**
 * Writes the tables of docs/workflows.md from the templates: what starts them, and what each job may do. With --check
 * it only says whether the page is up to date.
 */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';

const root = path.join(import.meta.dirname, '..');
const folder = 'workflows-templates';
const page = 'docs/workflows.md';
const begin = '<!-- workflows: begin -->';
const end = '<!-- workflows: end -->';
/** In the order of the story. */
const order = [
  'pull-request',
  'train',
  'sweep',
  'release',
  'candidate',
  'poll',
  'promote',
  'rollback',
  'monitor',
  'drill',
  'verify',
  'status-page',
  'chatops',
];

const Permissions = z.record(z.string(), z.enum(['read', 'write']));
const Workflow = z.object({
  on: z.record(z.string(), z.unknown()),
  jobs: z.record(
    z.string(),
    z.union([
      // one that calls another workflow, whose jobs have rows of their own
      z.object({
        uses: z.string(),
        with: z.object({ environment: z.string().optional() }),
        permissions: Permissions,
      }),
      z.object({
        'runs-on': z.union([z.string(), z.array(z.string())]),
        'timeout-minutes': z.number(),
        environment: z.string().optional(),
        permissions: Permissions,
      }),
    ]),
  ),
});
type Workflow = z.infer<typeof Workflow>;
type Job = Workflow['jobs'][string];

async function tables(): Promise<string> {
  const files = (await readdir(path.join(root, folder))).filter((file) => file.endsWith('.yml'));
  const names = files.map((file) => path.basename(file, '.yml'));
  const unknown = names.filter((name) => !order.includes(name));
  if (unknown.length > 0) throw new Error(`where do ${unknown.join(', ')} stand in the order of the story?`);
  const known = await Promise.all(
    order
      .filter((name) => names.includes(name))
      .map(async (name) => {
        const text = await readFile(path.join(root, folder, `${name}.yml`), 'utf8');
        const properties = await readFile(path.join(root, folder, `${name}.properties.json`), 'utf8');
        const { description } = z.object({ description: z.string() }).parse(JSON.parse(properties));
        return { name, text, description, workflow: Workflow.parse(parse(text)) };
      }),
  );
  return [
    table(
      ['workflow', 'what it does', 'starts on'],
      known.map(({ name, description, workflow }) => [`\`${name}.yml\``, description, triggers(workflow)]),
    ),
    '',
    table(
      ['job', 'runs on', 'at most', 'environment', 'permissions, and what for'],
      known.flatMap(({ name, text, workflow }) =>
        Object.entries(workflow.jobs).map(([id, job]) => [
          `\`${name}.yml\` / \`${id}\``,
          ...place(job),
          Object.entries(job.permissions)
            .map(([scope, level]) => `\`${scope}: ${level}\` ${reason(text, id, `${scope}: ${level}`)}`)
            .join('<br>'),
        ]),
      ),
    ),
  ].join('\n');
}

/** Where a job runs, how long at most, and in which environment. */
function place(job: Job): [string, string, string] {
  if ('uses' in job) return [`calls \`${path.basename(job.uses)}\``, '', environment(job.with.environment)];
  return [
    [job['runs-on']].flat().includes('self-hosted') ? 'your GPU runner' : 'GitHub-hosted',
    `${job['timeout-minutes']} min`,
    environment(job.environment),
  ];
}

function triggers({ on }: Workflow): string {
  return Object.entries(on)
    .map(([event, about]) => {
      const { cron } = z.object({ cron: z.string() }).safeParse([about].flat()[0]).data ?? {};
      const { branches } = z.object({ branches: z.array(z.string()) }).safeParse(about).data ?? {};
      if (cron !== undefined) return `\`schedule\` (\`${cron}\`)`;
      return branches === undefined ? `\`${event}\`` : `\`${event}\` to ${branches.join(', ')}`;
    })
    .join(', ');
}

const environment = (name: string | undefined) =>
  name === undefined ? 'none' : name.includes('{{') ? 'the one that is named' : `\`${name}\``;

/** The comment behind a permission of a job. Throws where there is none. */
function reason(text: string, job: string, permission: string): string {
  const ofJob = text.slice(text.search(new RegExp(`^  ${job}:`, 'm')));
  const found = ofJob.match(new RegExp(`^ +${permission} # (.+)$`, 'm'))?.[1];
  if (found === undefined) throw new Error(`${job}: no reason for ${permission}`);
  return found.replaceAll('|', '\\|');
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(head), `|${head.map(() => '---').join('|')}|`, ...rows.map(line)].join('\n');
}

async function main(check: boolean): Promise<number> {
  const file = path.join(root, page);
  const text = await readFile(file, 'utf8');
  const [from, until] = [text.indexOf(begin), text.indexOf(end)];
  if (from < 0 || until < from) throw new Error(`${page} has lost its markers ${begin} and ${end}`);
  const made = `${text.slice(0, from)}${begin}\n\n${await tables()}\n\n${text.slice(until)}`;
  if (made === text) return 0;
  if (!check) await writeFile(file, made);
  process.stdout.write(`${page} ${check ? 'is not up to date: run `npm run docs`' : 'written'}\n`);
  return check ? 1 : 0;
}

process.exitCode = await main(process.argv.includes('--check'));
