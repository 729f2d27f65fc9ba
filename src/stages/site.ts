import { z } from 'zod';
import { mapAtMost } from '../map-at-most.ts';
import { Name } from '../names.ts';
import { DeliveryMetrics } from '../registry/delivery-metrics.ts';
import type { Registry } from '../registry/registry.ts';
import { type DriftCheck, readDriftChecks } from '../site/drift-checks.ts';
import { modelPage } from '../site/model-page.ts';
import { modelFile, overviewPage } from '../site/overview-page.ts';
import { readModel } from '../site/read-model.ts';
import { type ModelSummary, summarise } from '../site/summary.ts';
import { defineStage } from './define.ts';
import { environments } from './registry-inputs.ts';
import { openSite, type SiteFolder } from './site-folder.ts';

/** Models with a page of their own; so many are read at once. */
const mostModels = 1000;
const atOnce = 8;

/** Writes the status of all models in the store as static pages. */
export const site = defineStage({
  name: 'site',
  description:
    'Writes the status of all models in the store as static pages, for GitHub Pages or any web server.',
  inputs: z.object({
    /** Absolute path of the folder; what an earlier run wrote there is replaced. */
    output: z.string().min(1).max(4096),
    environments,
    people: z.boolean(),
  }),
  outputs: z.object({
    output: z.string(),
    /** Relative to the folder. */
    files: z.array(z.string()),
    bytes: z.number().int(),
    models: z.array(
      z.object({
        model: Name,
        /** Why its log cannot be read; null where it can. */
        problem: z.string().nullable(),
        attention: z.array(z.string()),
        delivery: DeliveryMetrics.omit({ months: true }).nullable(),
      }),
    ),
  }),
  cache: false,
  async run({ output, environments, people }, { store, registry, now, signal }) {
    const moment = now();
    const environment = environments.at(-1) as string;
    const all = await registry.models();
    const names = all.slice(0, mostModels);
    const { byModel, cut } = await readDriftChecks(store, signal);
    await using folder = await openSite(output);
    const made = await mapAtMost(names, atOnce, async (model) => {
      signal.throwIfAborted();
      return writeModel(registry, model, {
        ...{ folder, environments, now: moment, people },
        checks: byModel.get(model) ?? new Map(),
      });
    });
    const models = made.map(({ summary }) => summary);
    const left = all.length - names.length;
    await folder.write(
      'index.html',
      overviewPage({ models, environment, now: moment, left, checksCut: cut }),
    );
    const { files, bytes } = await folder.publish();
    return {
      verdict: 'pass',
      reason_code: 'done',
      summary: summaryText(models, files.length),
      outputs: {
        ...{ output, files, bytes },
        models: made.map(({ summary: { model, problem, attention }, delivery }) => ({
          ...{ model, problem, attention, delivery },
        })),
      },
    };
  },
});

interface Made {
  summary: ModelSummary;
  delivery: Omit<DeliveryMetrics, 'months'> | null;
}

/** Of what was read only the row of the overview stays in memory. */
async function writeModel(
  registry: Registry,
  model: string,
  options: {
    folder: SiteFolder;
    environments: readonly string[];
    checks: ReadonlyMap<string, readonly DriftCheck[]>;
    now: Date;
    people: boolean;
  },
): Promise<Made> {
  const { folder, environments, checks, now, people } = options;
  const view = await readModel(registry, model, { environments, checks, now });
  const environment = environments.at(-1) as string;
  await folder.write(modelFile(model), modelPage(view, { now, environment, people }));
  if ('problem' in view) return { summary: summarise(view), delivery: null };
  const { months: _, ...delivery } = view.delivery;
  return { summary: summarise(view), delivery };
}

function summaryText(models: readonly ModelSummary[], files: number): string {
  const broken = models.filter(({ problem }) => problem !== null).length;
  const told = broken === 0 ? '' : ` The log of ${broken} cannot be read.`;
  return `Wrote ${files} pages of ${models.length} ${models.length === 1 ? 'model' : 'models'}.${told}`;
}
