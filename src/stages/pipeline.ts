import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Loaded } from '../config/load.ts';
import { expandFiles } from '../config/load.ts';
import type { Config, Window } from '../config/schema.ts';
import { parseContract } from '../data/contract.ts';
import { personalColumns } from '../data/personal.ts';
import { asTold, UserError } from '../errors.ts';
import { goldenFormat } from '../gate/golden-cases.ts';
import { retrainings } from '../gate/policy.ts';
import { Digest } from '../json.ts';
import { failedOutcome } from '../outcome.ts';
import type { Project } from './command.ts';
import { runStage, type Stage, type StageContext, type StageOutcome } from './define.ts';
import { evaluate } from './evaluate.ts';
import { features } from './features.ts';
import { gate } from './gate.ts';
import { gateHistory, setUse } from './gate-history.ts';
import { ingest, prepareSources } from './ingest.ts';
import { noise } from './noise.ts';
import { putCode } from './project.ts';
import { register } from './register.ts';
import { split } from './split.ts';
import { TrainingRecipe, train } from './train.ts';
import { validate } from './validate.ts';

/** The stages of a run, in order. */
export const stageOrder = [
  'ingest',
  'validate',
  'features',
  'split',
  'train',
  'evaluate',
  'noise',
  'gate',
  'register',
] as const;
export type StageName = (typeof stageOrder)[number];
type AnyOutcome = StageOutcome<Record<string, unknown>>;

/** Digests that are known already, by the stage that made them: what is given is not made again. */
export type Given = Partial<
  Record<'dataset' | 'features' | 'split' | 'model' | 'evaluation' | 'gate', Digest>
>;

export interface PipelineEvents {
  /** Before a stage starts, and after it ended. */
  started?(stage: StageName): void;
  ended?(stage: StageName, outcome: AnyOutcome): void;
}

/** A stage that did not pass ends the run: its outcome is the run's. */
class Stopped extends Error {
  readonly outcome: AnyOutcome;
  constructor(outcome: AnyOutcome) {
    super(outcome.summary);
    this.outcome = outcome;
  }
}

/** What `make` gives, or the outcome of the stage that stopped it. */
export async function orStopped<Result>(make: () => Promise<Result>): Promise<Result | AnyOutcome> {
  try {
    return await make();
  } catch (error) {
    if (error instanceof Stopped) return error.outcome;
    throw error;
  }
}

/**
 * Strings the stages together over one configuration. Each method makes what it needs, once: a stage whose
 * inputs have been seen before is read back from the store's cache.
 */
export class Pipeline {
  readonly outcomes: AnyOutcome[] = [];
  private readonly context: StageContext;
  private readonly loaded: Loaded;
  private readonly given: Given;
  private readonly events: PipelineEvents;

  constructor(options: { context: StageContext; loaded: Loaded; given?: Given; events?: PipelineEvents }) {
    this.context = options.context;
    this.loaded = options.loaded;
    this.given = options.given ?? {};
    this.events = options.events ?? {};
  }

  static async open(project: Project, given: Given = {}, events: PipelineEvents = {}): Promise<Pipeline> {
    const loaded = await project.config();
    await project.context.store.storage.prepare();
    return new Pipeline({ context: project.context, loaded, given, events });
  }

  get config(): Config {
    return this.loaded.config;
  }

  /** Runs up to and including a stage. The outcome is that stage's, or of the one that stopped the run. */
  async upTo(stage: StageName): Promise<AnyOutcome> {
    const steps: Record<StageName, () => Promise<AnyOutcome>> = {
      ingest: () => this.ingest(),
      validate: () => this.validate(),
      features: () => this.features(),
      split: () => this.split(),
      train: () => this.train(),
      evaluate: () => this.evaluate(),
      noise: () => this.noise(),
      gate: () => this.gate(),
      register: () => this.register(),
    };
    try {
      return await orStopped(steps[stage]);
    } catch (error) {
      // What a stage is given is made before it starts: a source that is not there fails the stage that wants it.
      const told = asTold(error, { signal: this.context.signal, where: `stage ${this.next}` });
      if (!(told instanceof UserError)) throw error;
      const outcome = failedOutcome({ stage: this.next, error: told });
      this.outcomes.push(outcome);
      this.events.ended?.(this.next, outcome);
      return outcome;
    }
  }

  /** The first stage that has not ended yet. */
  private get next(): StageName {
    return stageOrder.find((name) => this.ran(name) === undefined) ?? 'register';
  }

  private async ingest(): Promise<AnyOutcome> {
    return this.run('ingest', ingest, await this.ingestInputs(this.config.data.window));
  }

  private async ingestInputs(window: Window | undefined) {
    return {
      model: this.config.model,
      sources: await prepareSources({
        store: this.context.store,
        sources: this.config.data.sources,
        window,
        signal: this.context.signal,
      }),
    };
  }

  private async validate(): Promise<AnyOutcome> {
    const contracts: Record<string, Digest> = {};
    for (const [name, source] of Object.entries(this.config.data.sources)) {
      if (source.contract !== undefined) {
        contracts[name] = await putCode(this.context.store, { 'contract.yaml': source.contract });
      }
    }
    return this.run('validate', validate, {
      model: this.config.model,
      dataset: await this.dataset(),
      contracts,
      as_of: this.config.as_of ?? this.context.now().toISOString(),
      baseline: null,
    });
  }

  private async features(): Promise<AnyOutcome> {
    const dataset = await this.dataset();
    if (this.ran('validate') === undefined) await this.validate();
    return this.run('features', features, await this.featureInputs(dataset, this.config.data.window));
  }

  private async featureInputs(dataset: Digest, window: Window | undefined) {
    return {
      dataset,
      code: await putCode(this.context.store, { 'features.sql': this.config.features.sql }),
      definition: definitionOf(this.config),
      known: knownOf(this.config),
      time_from: window?.from ?? null,
      time_until: window?.until ?? null,
    };
  }

  private async split(): Promise<AnyOutcome> {
    return this.run('split', split, { features: await this.output('features'), split: this.config.split });
  }

  private async train(): Promise<AnyOutcome> {
    return this.run('train', train, await this.recipe());
  }

  /** All that a training depends on. */
  private async recipe() {
    const { script, requirements, ...training } = this.config.train;
    return {
      split: await this.output('split'),
      code: await this.trainingCode(script, requirements),
      training,
    };
  }

  /** The script, the lock, and the other Python files beside the script. */
  private async trainingCode(script: string, requirements: string): Promise<Digest> {
    const files: Record<string, string> = { 'requirements.lock': requirements };
    for (const file of await expandFiles(path.join(path.dirname(script), '*.py')))
      files[path.basename(file)] = file;
    delete files[path.basename(script)];
    return putCode(this.context.store, { ...files, 'train.py': script });
  }

  /** The pinned evaluation set and the data from which its rows' features are made. */
  private async evaluationData() {
    const { file, window, ...set } = this.config.evaluation;
    const found = await this.quietly(ingest, await this.ingestInputs(window ?? this.config.data.window));
    return {
      evaluation_set: set,
      file: await this.evaluationFile(file),
      dataset: found.dataset as Digest,
    };
  }

  private async evaluationFile(file: string): Promise<Digest> {
    const found = await expandFiles(file);
    if (found.length !== 1) {
      throw new UserError({
        code: 'config_missing',
        message: `The evaluation set ${file} is not there.`,
        where: this.loaded.locate(['evaluation', 'file']),
        fix: 'Mend the path, or make the file with modelgate pin.',
      });
    }
    return (await this.context.store.putFile(file)).sha256;
  }

  /**
   * The inputs of `pin`: the features of the evaluation window's rows, and the columns that the gate will ask
   * for. With `heldOut`, the rows that training's own split holds back.
   */
  async pinInputs(heldOut: boolean) {
    const { cluster } = this.config.evaluation;
    const { key, label, time, keep } = this.config.features;
    const trained = this.config.data.window;
    const window = heldOut ? trained : this.config.evaluation.window;
    const found = await this.quietly(ingest, await this.ingestInputs(window ?? trained));
    const made = await this.quietly(features, await this.featureInputs(found.dataset as Digest, window));
    const dealt = { features: made.features as Digest, split: this.config.split };
    return {
      features: dealt.features,
      split: heldOut ? ((await this.quietly(split, dealt)).split as Digest) : null,
      key,
      label,
      time: time ?? null,
      columns: [
        ...keep,
        ...(cluster === undefined ? [] : [cluster]),
        ...(this.config.gate.slices?.by ?? []),
        ...(this.config.gate.fairness?.group ?? []),
      ],
    };
  }

  private async evaluate(): Promise<AnyOutcome> {
    const model = await this.output('model');
    const outcome = await this.run('evaluate', evaluate, {
      model,
      champion: await this.champion(model),
      ...(await this.evaluationData()),
      admission: this.config.train.admission,
    });
    await this.countConsultation(model, outcome);
    return outcome;
  }

  /** The model that serves in the last environment: what a candidate is compared with. */
  private async champion(candidate: Digest): Promise<Digest | null> {
    const state = await this.context.registry.state(this.config.model);
    const last = this.config.environments.at(-1)!.name;
    const manifest = state.environments.get(last)?.manifest ?? null;
    return manifest === candidate ? null : manifest;
  }

  /** Each question to the evaluation set is an entry of the log: the more often it is asked, the less it is worth. */
  private async countConsultation(model: Digest, outcome: AnyOutcome): Promise<void> {
    const evaluation = outcome.outputs.evaluation as Digest;
    const { id, sha256 } = this.config.evaluation;
    const op_id = `evaluate:${evaluation}`;
    await this.context.registry.commit({
      model: this.config.model,
      op_id,
      matches: (entry) => entry.type === 'evaluate' && entry.evaluation === evaluation,
      decide: () => ({
        type: 'evaluate',
        op_id,
        actor: this.context.actor,
        evaluation_set: { id, sha256 },
        manifest: model,
        evaluation,
      }),
    });
  }

  /** Retrains the recipe of the model that is judged, wherever it was made: its package says it all. */
  private async noise(model?: Digest): Promise<AnyOutcome> {
    const { inputs, facts } = await this.context.store.readManifest(
      model ?? (await this.output('model')),
      'model',
    );
    // Replicates draw bootstraps of their own: a twin shares the noise of its recipe.
    const { bootstrap: _, ...training } = TrainingRecipe.parse(facts.recipe);
    return this.run('noise', noise, {
      split: Digest.parse(inputs.split),
      code: Digest.parse(inputs.code),
      training,
      ...(await this.evaluationData()),
      replicates: retrainings(this.config.gate) ?? 5,
      metrics: this.config.gate.metrics.map(
        ({ metric, threshold, k, row_loss, numerator, denominator, aggregate }) => ({
          metric,
          ...(threshold === undefined ? {} : { threshold }),
          ...(k === undefined ? {} : { k }),
          ...(row_loss === undefined ? {} : { row_loss }),
          ...(numerator === undefined ? {} : { numerator }),
          ...(denominator === undefined ? {} : { denominator }),
          ...(aggregate === undefined ? {} : { aggregate }),
        }),
      ),
      slices: slicedColumns(this.config),
    });
  }

  private async gate(): Promise<AnyOutcome> {
    const evaluation = await this.output('evaluation');
    const { facts, inputs } = await this.context.store.readManifest(evaluation, 'evaluation');
    // Without a champion there is no difference that noise could explain.
    const measured = retrainings(this.config.gate) !== null && facts.champion !== null;
    const outcome = measured ? await this.noise(Digest.parse(inputs.model)) : null;
    const champion = Digest.nullable().parse(facts.champion ?? null);
    const { model, evaluation: set, as_of } = this.config;
    const { consultations, ...history } = await gateHistory(this.context.registry, {
      model,
      evaluation,
      set: set.sha256,
      champion,
    });
    return this.run(
      'gate',
      gate,
      {
        evaluation,
        policy: this.config.gate,
        noise: (outcome?.outputs.noise as Digest | undefined) ?? null,
        ...history,
        golden: await this.goldenCases(),
        set_use: setUse(set, { consultations, as_of: as_of ?? null }),
        personal: await this.personal(),
        release: { model: this.config.model, environment: this.config.environments[0]!.name },
      },
      { mayNotPass: true },
    );
  }

  /** The file of golden cases as a stored object; null where the policy has none. */
  private async goldenCases() {
    const { golden } = this.config.gate;
    if (golden === undefined) return null;
    const at = this.loaded.locate(['gate', 'golden']);
    const [file, ...others] = await expandFiles(golden.file);
    const format = goldenFormat(golden.file);
    if (file === undefined || others.length > 0) {
      throw new UserError({
        code: 'config_missing',
        message: `The golden cases ${golden.file} are not there.`,
        where: at,
        fix: 'Mend the path: it is relative to the file that names it.',
      });
    }
    if (format === null) {
      throw new UserError({
        code: 'config_invalid',
        message: `The golden cases ${golden.file} are of no known format.`,
        where: at,
        fix: 'Give a file that ends in .jsonl, .ndjson, .csv or .parquet.',
      });
    }
    return { file: (await this.context.store.putFile(file)).sha256, format };
  }

  /** The columns that the contracts mark as personal; key and label also by the names that they have in an evaluation. */
  private async personal(): Promise<string[]> {
    const found = new Set<string>();
    for (const [name, { contract }] of Object.entries(this.config.data.sources)) {
      if (contract === undefined) continue;
      const text = await readFile(contract, 'utf8');
      for (const column of personalColumns(parseContract(text, contract, name))) found.add(column);
    }
    const { key, label } = this.config.features;
    if (found.has(key)) found.add('key');
    if (found.has(label)) found.add('label');
    return [...found].sort();
  }

  private async register(): Promise<AnyOutcome> {
    return this.run('register', register, {
      model: this.config.model,
      gate: await this.output('gate'),
      admission: this.config.train.admission,
    });
  }

  private async dataset(): Promise<Digest> {
    return this.given.dataset ?? ((await this.once('ingest', () => this.ingest())).outputs.dataset as Digest);
  }

  /** The digest that a stage makes: given, made before in this run, or made now. */
  private async output(name: 'features' | 'split' | 'model' | 'evaluation' | 'gate'): Promise<Digest> {
    const given = this.given[name];
    if (given !== undefined) return given;
    const makers = {
      features: ['features', () => this.features()],
      split: ['split', () => this.split()],
      model: ['train', () => this.train()],
      evaluation: ['evaluate', () => this.evaluate()],
      gate: ['gate', () => this.gate()],
    } as const;
    const [stage, make] = makers[name];
    return (await this.once(stage, make)).outputs[name] as Digest;
  }

  private ran(stage: StageName): AnyOutcome | undefined {
    return this.outcomes.find((outcome) => outcome.stage === stage);
  }

  private async once(stage: StageName, make: () => Promise<AnyOutcome>): Promise<AnyOutcome> {
    return this.ran(stage) ?? (await make());
  }

  private async run<Input, Outputs, Given>(
    name: StageName,
    stage: Stage<Input, Outputs, Given>,
    input: NoInfer<Given>,
    options: { mayNotPass?: boolean } = {},
  ): Promise<AnyOutcome> {
    this.events.started?.(name);
    const outcome = (await runStage(stage, input, this.context)) as AnyOutcome;
    this.outcomes.push(outcome);
    this.events.ended?.(name, outcome);
    const stops = outcome.verdict === 'error' || (outcome.verdict !== 'pass' && options.mayNotPass !== true);
    if (stops) throw new Stopped(outcome);
    return outcome;
  }

  /** A stage that serves another one and is not told of, unless it fails. */
  private async quietly<Input, Outputs, Given>(
    stage: Stage<Input, Outputs, Given>,
    input: NoInfer<Given>,
  ): Promise<Record<string, unknown>> {
    const outcome = (await runStage(stage, input, this.context)) as AnyOutcome;
    if (outcome.verdict !== 'pass') {
      this.outcomes.push(outcome);
      throw new Stopped(outcome);
    }
    return outcome.outputs;
  }
}

/** Columns by whose values the policy cuts slices. */
function slicedColumns({ gate: { slices } }: Config): string[] {
  const critical = (slices?.critical ?? []).flatMap(({ where }) => Object.keys(where));
  return [...new Set([...(slices?.by ?? []), ...critical])].sort();
}

export function definitionOf(config: Config) {
  const { sql: _, ...definition } = config.features;
  return definition;
}

export function knownOf(config: Config) {
  return Object.fromEntries(
    Object.entries(config.data.sources).map(([name, { known, known_at }]) => [
      name,
      { known: known ?? [], known_at: known_at ?? null },
    ]),
  );
}
