import { z } from 'zod';
import { UserError } from '../src/errors.ts';
import { Digest, parseJson } from '../src/json.ts';
import type { Outcome } from '../src/outcome.ts';
import type { Project } from '../src/stages/command.ts';
import { CheckResult } from '../src/stages/validate.ts';
import { type Annotation, placeIn } from './annotations.ts';

const checksLimit = 20_000_000;

/**
 * One annotation for each contract check that did not pass, on the contract's line where there is one: for every
 * outcome that names a validation, whichever stage it ended in.
 */
export async function contractAnnotations(
  outcome: Outcome,
  project: Project,
  workspace: string,
): Promise<Annotation[]> {
  const validation = Digest.safeParse(outcome.outputs.validation);
  if (!validation.success) return [];
  const { store } = project.context;
  const { sha256 } = store.file(await store.readManifest(validation.data, 'validation'), 'checks.json');
  const text = (await store.readBytes(sha256, checksLimit)).toString('utf8');
  const checks = z.array(CheckResult).parse(parseJson(text, checksLimit));
  const contracts = await contractFiles(project);
  return checks
    .filter((check) => check.verdict !== 'pass')
    .sort((a, b) => Number(a.verdict === 'warn') - Number(b.verdict === 'warn'))
    .map((check) => {
      const file = contractOf(check.id, contracts);
      const where = file === undefined || check.line === null ? null : `${file}:${check.line}`;
      return {
        level: check.verdict === 'fail' ? 'error' : 'warning',
        title: `Contract: ${check.id}`,
        message: check.message,
        ...placeIn(workspace, where),
      };
    });
}

/** Contract files by source; none where the configuration can't be read. */
async function contractFiles(project: Project): Promise<Map<string, string>> {
  try {
    const { config } = await project.config();
    return new Map(
      Object.entries(config.data.sources).flatMap(([source, { contract }]) =>
        contract === undefined ? [] : [[source, contract]],
      ),
    );
  } catch (error) {
    if (error instanceof UserError) return new Map();
    throw error;
  }
}

/** A check's id begins with its table, which is named like the source. */
function contractOf(id: string, contracts: ReadonlyMap<string, string>): string | undefined {
  const named = [...contracts].find(([source]) => id.startsWith(`${source}.`));
  return named?.[1] ?? (contracts.size === 1 ? [...contracts.values()][0] : undefined);
}
