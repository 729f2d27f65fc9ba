import { existsSync } from 'node:fs';
import { realpath } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { expandFiles } from '../../config/load.ts';
import type { Config } from '../../config/schema.ts';
import { prepareSources } from '../../data/sources.ts';
import { UserError } from '../../errors.ts';
import { hashFile } from '../../store/store.ts';
import { defineCommand } from '../command.ts';
import { commitHolds } from '../committed.ts';
import { runStage } from '../define.ts';
import { poll } from '../poll.ts';
import { gitHubOfJob } from './job-github.ts';

const pollCommand = defineCommand({
  name: 'poll',
  description:
    'Looks whether the sources hold data that were not seen before, and starts one run of train.yml for them, in GitHub Actions.',
  positional: [],
  options: z.object({
    dry_run: z.boolean().default(false).describe('Say what would happen, and change nothing'),
  }),
  examples: ['modelgate poll --dry-run', 'modelgate poll --store s3://models/flights --json'],
  async run({ dry_run }, project) {
    const { context } = project;
    const loaded = await project.config();
    const { config } = loaded;
    const github = gitHubOfJob(process.env);
    const root = await realpath(process.env.GITHUB_WORKSPACE || process.cwd());
    const stage = poll({
      github,
      hash: { putFile: hashFile },
      read: (store) =>
        prepareSources({
          ...{ store, sources: config.data.sources, window: config.data.window, signal: context.signal },
        }),
      committed: () => committedSources(config, root),
    });
    const input = {
      ...{ model: config.model, dry_run, workflow: config.chatops.workflows.train },
      config: insideRepository(await realpath(loaded.files.at(-1) ?? 'modelgate.yaml'), root),
    };
    return runStage(stage, input, context);
  },
});

/** The sources that are files of the commit, where the repository has the workflow that a push of them starts. */
async function committedSources({ data, chatops }: Config, root: string): Promise<Set<string>> {
  const holds = await commitHolds(root);
  const committed = new Set<string>();
  const release = path.join(root, '.github/workflows', chatops.workflows.release);
  if (!existsSync(release) || !(await holds(release))) return committed;
  for (const [name, { file }] of Object.entries(data.sources)) {
    const held = await Promise.all((await expandFiles(file)).map(holds));
    if (held.every(Boolean)) committed.add(name);
  }
  return committed;
}

/** How train.yml is told which configuration is meant: a path from the repository's root. */
function insideRepository(file: string, root: string): string {
  const name = path.relative(root, file).split(path.sep).join('/');
  if (!name.startsWith('../') && !path.isAbsolute(name)) return name;
  throw new UserError({
    code: 'usage',
    message: 'The configuration lies outside of the repository.',
    where: { file },
    fix: "Run in the repository's root.",
  });
}

export const pollingCommands = [pollCommand];
