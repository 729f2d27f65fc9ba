import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Choices } from '../adoption/choose.ts';
import type { Plan } from '../adoption/plan.ts';
import { scalar } from '../adoption/yaml-text.ts';
import type { Code } from '../codes.ts';
import { loadConfig } from '../config/load.ts';
import { UserError } from '../errors.ts';
import { silentLogger } from '../logger.ts';
import type { StageContext } from './define.ts';
import { runStage } from './define.ts';
import { pin } from './pin.ts';
import { orStopped, Pipeline } from './pipeline.ts';

/**
 * Makes the evaluation set of files that are not written yet: they stand in the work folder, where the configuration
 * is read, the data are ingested and the feature SQL runs, as in any later run. What is wrong with them is found here,
 * before anything is written. Throws what the stages would say.
 */
export async function pinStaged(request: {
  plan: Plan;
  root: string;
  source: string;
  choices: Choices;
  context: StageContext;
}): Promise<{ file: string; sha256: string }> {
  const { plan } = request;
  // what it does here is told by init
  const context = { ...request.context, logger: silentLogger };
  const folder = path.join(context.workDirectory, 'init');
  await stageFiles(request, folder);
  const loaded = await loadConfig(path.join(folder, 'pin.yaml'));
  await context.store.storage.prepare();
  const pipeline = new Pipeline({ context, loaded });
  const { time } = request.choices;
  const window = { from: time?.span.cut ?? null, until: null };
  const outcome = await orStopped(async () =>
    runStage(pin, { ...(await pipeline.pinInputs(time === null)), ...window }, context),
  );
  const { sha256 } = outcome.outputs;
  if (typeof sha256 === 'string') return { sha256, file: await context.store.localFile(sha256) };
  throw new UserError({
    code: (outcome.error?.code ?? outcome.reason_code) as Code,
    message: `The first evaluation set cannot be made: ${outcome.error?.message ?? outcome.summary}`,
    where: outcome.error?.where ?? plan.paths.data,
    fix: outcome.error?.fix ?? 'Choose other columns: modelgate init --help lists the options.',
  });
}

/** The new files as they will stand, and a configuration over them that finds the user's own where they are. */
async function stageFiles(
  { plan, root, source }: { plan: Plan; root: string; source: string },
  folder: string,
): Promise<void> {
  for (const { path: name, content } of plan.files) {
    const file = path.join(folder, name);
    await mkdir(path.dirname(file), { recursive: true });
    if ('copy' in content) await copyFile(content.copy, file);
    else await writeFile(file, content.text);
  }
  await writeFile(path.join(folder, 'modelgate.yaml'), plan.config(null));
  const at = (role: keyof Plan['paths']) => scalar(path.join(root, plan.paths[role]));
  const kept = (role: keyof Plan['paths'], line: string) => (plan.kept.includes(role) ? [line] : []);
  const sourceKeys = [`file: ${at('data')}`, ...kept('contract', `contract: ${at('contract')}`)];
  const trainKeys = [
    ...kept('script', `script: ${at('script')}`),
    ...kept('requirements', `requirements: ${at('requirements')}`),
  ];
  await writeFile(
    path.join(folder, 'pin.yaml'),
    [
      'extends: modelgate.yaml',
      `data: { sources: { ${scalar(source)}: { ${sourceKeys.join(', ')} } } }`,
      ...(trainKeys.length === 0 ? [] : [`train: { ${trainKeys.join(', ')} }`]),
      ...kept('gate', `gate: ${at('gate')}`),
      '',
    ].join('\n'),
  );
}
