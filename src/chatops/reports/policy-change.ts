import { loadConfig } from '../../config/load.ts';
import type { Config } from '../../config/schema.ts';
import { UserError } from '../../errors.ts';
import type { GitHub } from '../../github/port.ts';
import { canonicalJson } from '../../json.ts';
import { oneLine } from '../../report/plain.ts';
import type { ChatopsContext } from '../context.ts';
import type { PolicyChange, ReportRecord } from './record.ts';

const largestFile = 64 * 1024;
const most = 10;

/** What judges a candidate, by the words for people: nobody may change it by the way. */
const judging = {
  gate: 'gate policy',
  evaluation: 'evaluation set',
} as const;

/**
 * How the policy and the evaluation set of a commit differ from the default branch's. The gate goes by the default
 * branch's whatever is written there: this is for the owner's eyes.
 */
export async function policyChanges(
  { github, models, base }: Pick<ChatopsContext, 'github' | 'models' | 'base'>,
  { model, sha }: { model: string; sha: string },
): Promise<NonNullable<ReportRecord['policy']>> {
  const file = models.get(model)?.file;
  // read in the same way, so that paths in them are written alike
  const now = file === undefined ? null : await configAt(github, file, base.sha);
  const changes =
    file === undefined || now === null ? [] : differences(now, await configAt(github, file, sha));
  return { sha, base: base.sha, changes: changes.slice(0, most) };
}

/** Null where the commit has none, or none that can be read. */
async function configAt(github: GitHub, file: string, sha: string): Promise<Config | null> {
  const read = async (name: string) => {
    const bytes = await github.file({ path: name.replace(/^\//, ''), sha, limit: largestFile });
    return bytes?.toString('utf8') ?? null;
  };
  try {
    return (await loadConfig(`/${file}`, { read, complete: false })).config;
  } catch (error) {
    if (error instanceof UserError) return null;
    throw error;
  }
}

function differences(now: Config, then: Config | null): PolicyChange[] {
  if (then === null) return [{ part: 'configuration', key: '', before: '', after: 'cannot be read' }];
  return (Object.keys(judging) as (keyof typeof judging)[]).flatMap((section) =>
    changedKeys(now[section], then[section]).map((change) => ({ part: judging[section], ...change })),
  );
}

function changedKeys(now: object, then: object): Omit<PolicyChange, 'part'>[] {
  const [before, after] = [new Map(Object.entries(now)), new Map(Object.entries(then))];
  return [...new Set([...before.keys(), ...after.keys()])]
    .sort()
    .filter((key) => canonicalJson(before.get(key) ?? null) !== canonicalJson(after.get(key) ?? null))
    .map((key) => ({ key, before: shown(before.get(key)), after: shown(after.get(key)) }));
}

function shown(value: unknown): string {
  if (value === undefined) return 'none';
  const words = typeof value === 'string' ? value : canonicalJson(value);
  return oneLine(/^[0-9a-f]{64}$/.test(words) ? words.slice(0, 12) : words, 80);
}
