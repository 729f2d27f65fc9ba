import { readFile, stat } from 'node:fs/promises';
import { z } from 'zod';
import { hasCode, namesNoFile, UserError } from '../errors.ts';
import { parseJson } from '../json.ts';
import { Name } from '../names.ts';
import { Observation, Observed, reconcile as reconcileServing, Serving } from '../registry/reconcile.ts';
import { redoCaches } from '../registry/reconcile-caches.ts';
import type { Registry } from '../registry/registry.ts';
import type { ModelState } from '../registry/state.ts';
import { observe } from '../serving/observe.ts';
import { defineStage } from './define.ts';
import { isTrouble, reconcileAlerts } from './reconcile-alert.ts';

const fileLimit = 4_000_000;
const url = z.url({ protocol: /^https?$/ }).max(500);

/** Holds what serves against what the registry says, and writes what a crash left unwritten. */
export const reconcile = defineStage({
  name: 'reconcile',
  description:
    'Finds what serves without being recorded (a shadow model) and what should serve and does not; redoes what a crash left undone.',
  inputs: z.object({
    model: Name.nullable()
      .default(null)
      .describe('The model that should serve. Left out: those that were seen.'),
    servers: z
      .array(z.object({ environment: Name, url }))
      .max(1000)
      .default([])
      .describe('Servers to ask: modelgate serve.'),
    observed: z.string().min(1).max(4096).nullable().default(null).describe('A JSON file of what was seen.'),
  }),
  outputs: z.object({
    serving: z.array(Serving),
    /** Caches of the logs that were written again. */
    redone: z.array(z.string()),
    /** Models whose log cannot be read; nothing is said of what they serve. */
    problems: z.array(z.object({ model: Name, code: z.string(), message: z.string() })),
    alerts: z.array(
      z.object({
        cause: z.literal('serving_differs'),
        fingerprint: z.string(),
        title: z.string(),
        body: z.string(),
        action: z.literal('investigate'),
        reason: z.string(),
      }),
    ),
  }),
  cache: false,
  run: async ({ model, servers, observed }, { registry, signal }) => {
    const seen = observed === null ? [] : await readObserved(observed);
    const asked = await Promise.all(servers.map((server) => ask(server, signal)));
    const observations = [...seen, ...asked];
    const redone: string[] = [];
    const unreadable = new Map<string, UserError>();
    for (const name of await registry.models()) {
      await withoutDamage(name, unreadable, async () => {
        redone.push(...(await redoCaches(registry, name)));
      });
      registry.forget(name);
    }
    const models = model === null ? observations.map((one) => one.model) : [model];
    const known = await statesOf(registry, unreadable, [...models, ...observations.map((one) => one.model)]);
    const environments = new Set(observations.map(({ environment }) => environment));
    const expected = [...known.keys()]
      .filter((name) => models.includes(name))
      .flatMap((name) => [...environments].map((environment) => ({ model: name, environment })));
    const serving = reconcileServing(
      observations.map((one) => undecidable(one, unreadable)),
      known,
      expected,
    );
    const problems = [...unreadable].map(([name, { code, message }]) => ({ model: name, code, message }));
    const outputs = { serving, redone, problems, alerts: reconcileAlerts(serving) };
    const again = redone.length === 0 ? '' : ` Wrote ${redone.length} caches of logs again.`;
    const [problem] = problems;
    if (problem !== undefined) {
      const summary = `The log of ${problem.model} cannot be read${problems.length === 1 ? '' : `, and ${problems.length - 1} more`}: ${problem.message}${again}`;
      return { verdict: 'fail', reason_code: 'log_damaged', summary, outputs };
    }
    if (serving.length === 0) {
      const summary = `Nothing was looked at: give --observed, or environments[].serving in modelgate.yaml.${again}`;
      return { verdict: 'pass', reason_code: 'nothing_to_do', summary, outputs };
    }
    const troubles = serving.filter(isTrouble);
    const silent = serving.filter(({ state }) => state === 'unreachable');
    if (troubles.length + silent.length === 0) {
      const summary = `What serves is what the registry says: ${serving.length} looked at.${again}`;
      return { verdict: 'pass', reason_code: 'done', summary, outputs };
    }
    const told = [...troubles, ...silent]
      .slice(0, 5)
      .map(({ where, state, reason }) => `${where}: ${state}, ${reason}`)
      .join('; ');
    return {
      verdict: 'inconclusive',
      reason_code: troubles.length > 0 ? 'serving_differs' : 'not_decidable',
      summary: `${troubles.length} of ${serving.length} are not as recorded, ${silent.length} do not answer. ${told}.${again}`,
      outputs,
    };
  },
});

async function ask(server: { environment: string; url: string }, signal: AbortSignal): Promise<Observation> {
  const base = { where: server.url, environment: server.environment };
  const answer = await observe(server.url, { signal });
  const silent = (unreachable: string) => Observation.parse({ ...base, model: null, unreachable });
  if ('unreachable' in answer) return silent(answer.unreachable);
  if (answer.environment !== server.environment)
    return silent(`it follows the environment ${JSON.stringify(answer.environment)}`);
  const { serving } = answer;
  return Observation.parse({
    ...base,
    model: serving === null ? null : answer.model,
    digest: serving?.manifest ?? null,
    version: serving?.version ?? null,
    generation: serving?.generation ?? null,
  });
}

/** One model's damage does not hide what other models serve. */
async function withoutDamage(
  model: string,
  unreadable: Map<string, UserError>,
  work: () => Promise<void>,
): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof UserError) || error.code !== 'log_damaged') throw error;
    unreadable.set(model, error);
  }
}

/** States of those names that can be models; a stranger's other names are of no model. */
async function statesOf(
  registry: Registry,
  unreadable: Map<string, UserError>,
  names: readonly (string | null)[],
): Promise<Map<string, ModelState>> {
  const known = new Map<string, ModelState>();
  for (const name of new Set(names)) {
    if (name === null || unreadable.has(name) || !Name.safeParse(name).success) continue;
    await withoutDamage(name, unreadable, async () => {
      known.set(name, await registry.state(name));
    });
  }
  return known;
}

function undecidable(seen: Observation, unreadable: ReadonlyMap<string, UserError>): Observation {
  if (seen.model === null || !unreadable.has(seen.model)) return seen;
  return { ...seen, unreachable: `the log of ${seen.model} cannot be read` };
}

async function readObserved(file: string): Promise<Observation[]> {
  let parsed: unknown;
  try {
    const { size } = await stat(file);
    if (size > fileLimit) throw new SyntaxError(`${size} bytes are too many`);
    parsed = parseJson(await readFile(file, 'utf8'), fileLimit);
  } catch (error) {
    if (hasCode(error, 'EISDIR')) throw refused(file, 'This is a folder, not a file.', error);
    if (namesNoFile(error)) throw refused(file, 'The file is not there.', error);
    if (error instanceof SyntaxError) throw refused(file, 'The file is no JSON.', error);
    throw error;
  }
  const observed = Observed.safeParse(parsed);
  if (!observed.success) {
    const issue = observed.error.issues[0];
    throw refused(
      file,
      `${issue?.path.join('.') || 'The file'} is not valid: ${issue?.message}.`,
      observed.error,
    );
  }
  return observed.data.map((one) =>
    Observation.parse({ ...one, digest: one.digest ?? null, version: one.version ?? null }),
  );
}

function refused(file: string, message: string, cause: unknown): UserError {
  return new UserError({
    code: 'usage',
    message,
    where: { file },
    fix: 'Give a list of {where, environment, model, digest or version}; model null where nothing serves.',
    cause,
  });
}
