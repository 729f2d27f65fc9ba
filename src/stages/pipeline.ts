import type { Loaded } from '../config/load.ts';
import type { Config, Window } from '../config/schema.ts';
import { type StageName, stageOrder } from '../config/stage-order.ts';
import { asTold, UserError } from '../errors.ts';
import { retrainings } from '../gate/policy.ts';
import type { ScanInput } from '../gate/scans/scan.ts';
import { Digest } from '../json.ts';
import { failedOutcome } from '../outcome.ts';
import type { Project } from './command.ts';
import {
  contractFiles,
  definitionOf,
  evaluationFile,
  goldenCases,
  knownOf,
  measuredMetrics,
  personalNames,
  slicedColumns,
  trainingCode,
} from './config-inputs.ts';
import { runStage, type Stage, type StageContext, type StageOutcome } from './define.ts';
import { gateHistory, setUse } from './gate-history.ts';
import { requireNoRights } from './job-rights.ts';
import { putCode } from './project.ts';
import { requireSomeScan, storeScans } from './scan-files.ts';

type AnyOutcome = StageOutcome<Record<string, unknown>>;

/** The stages by name: one's code is loaded when it runs. */
const stages = {
  ingest: async () => (await import('./ingest.ts')).ingest,
  validate: async () => (await import('./validate.ts')).validate,
  features: async () => (await import('./features.ts')).features,
  split: async () => (await import('./split.ts')).split,
  train: async () => (await import('./train.ts')).train,
  evaluate: async () => (await import('./evaluate.ts')).evaluate,
  noise: async () => (await import('./noise.ts')).noise,
  gate: async () => (await import('./gate.ts')).gate,
  register: async () => (await import('./register.ts')).register,
};

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
  private readonly scans: readonly ScanInput[];

  constructor(options: {
    context: StageContext;
    loaded: Loaded;
    given?: Given;
    events?: PipelineEvents;
    /** Reports of scanners, for the gate. */
    scans?: readonly ScanInput[];
  }) {
    this.context = options.context;
    this.loaded = options.loaded;
    this.given = options.given ?? {};
    this.events = options.events ?? {};
    this.scans = options.scans ?? [];
  }

  /** `scans`: paths of scanners' reports, for commands that gate; left out by the others. */
  static async open(
    project: Project,
    given: Given = {},
    events: PipelineEvents = {},
    scans?: readonly string[],
  ): Promise<Pipeline> {
    const loaded = await project.config();
    const { context } = project;
    await context.store.storage.prepare();
    // before hours of training, not after them
    if (scans !== undefined) requireSomeScan(loaded.config.gate.scans, scans);
    return new Pipeline({
      ...{ context, loaded, given, events },
      scans: await storeScans(context.store, scans ?? []),
    });
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
    return this.run('ingest', await stages.ingest(), await this.ingestInputs(this.config.data.window));
  }

  private async ingestInputs(window: Window | undefined) {
    const { prepareSources } = await import('./ingest.ts');
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
    return this.run('validate', await stages.validate(), {
      model: this.config.model,
      dataset: await this.dataset(),
      contracts: await contractFiles(this.context.store, this.config),
      as_of: this.config.as_of ?? this.context.now().toISOString(),
      baseline: null,
    });
  }

  private async features(): Promise<AnyOutcome> {
    const dataset = await this.dataset();
    if (this.ran('validate') === undefined) await this.validate();
    const inputs = await this.featureInputs(dataset, this.config.data.window);
    return this.run('features', await stages.features(), inputs);
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
    const inputs = { features: await this.output('features'), split: this.config.split };
    return this.run('split', await stages.split(), inputs);
  }

  private async train(): Promise<AnyOutcome> {
    return this.run('train', await stages.train(), await this.recipe());
  }

  /** All that a training depends on. */
  private async recipe() {
    const { script, requirements, ...training } = this.config.train;
    return {
      split: await this.output('split'),
      code: await trainingCode(this.context.store, { script, requirements }),
      training,
    };
  }

  /** The pinned evaluation set and the data from which its rows' features are made. */
  private async evaluationData() {
    const { file: _, window, ...set } = this.config.evaluation;
    const found = await this.quietly(
      await stages.ingest(),
      await this.ingestInputs(window ?? this.config.data.window),
    );
    return {
      evaluation_set: set,
      file: await evaluationFile(this.context.store, this.loaded),
      dataset: found.dataset as Digest,
    };
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
    const found = await this.quietly(await stages.ingest(), await this.ingestInputs(window ?? trained));
    const inputs = await this.featureInputs(found.dataset as Digest, window);
    const made = await this.quietly(await stages.features(), inputs);
    const dealt = { features: made.features as Digest, split: this.config.split };
    return {
      features: dealt.features,
      split: heldOut ? ((await this.quietly(await stages.split(), dealt)).split as Digest) : null,
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
    const outcome = await this.run('evaluate', await stages.evaluate(), {
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
    const { TrainingRecipe } = await import('./train.ts');
    const { bootstrap: _, ...training } = TrainingRecipe.parse(facts.recipe);
    return this.run('noise', await stages.noise(), {
      split: Digest.parse(inputs.split),
      code: Digest.parse(inputs.code),
      training,
      ...(await this.evaluationData()),
      replicates: retrainings(this.config.gate) ?? 5,
      metrics: measuredMetrics(this.config),
      slices: slicedColumns(this.config),
    });
  }

  private async gate(): Promise<AnyOutcome> {
    const evaluation = await this.output('evaluation');
    const { facts, inputs } = await this.context.store.readManifest(evaluation, 'evaluation');
    // Without a champion there is no difference that noise could explain.
    const measured = retrainings(this.config.gate) !== null && facts.champion !== null;
    // a model of another job: whose code that is, is not known here
    if (measured && this.given.evaluation !== undefined) requireNoRights(process.env);
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
      await stages.gate(),
      {
        evaluation,
        policy: this.config.gate,
        noise: (outcome?.outputs.noise as Digest | undefined) ?? null,
        ...history,
        golden: await goldenCases(this.context.store, this.loaded),
        set_use: setUse(set, { consultations, as_of: as_of ?? null }),
        personal: await personalNames(this.config),
        scans: [...this.scans],
        // a day is an input only where something ends by it: else an equal question keeps its answer
        today:
          this.scans.length > 0 && (this.config.gate.scans?.accept ?? []).length > 0
            ? this.context.now().toISOString().slice(0, 10)
            : null,
        release: { model: this.config.model, environment: this.config.environments[0]!.name },
      },
      { mayNotPass: true },
    );
  }

  private async register(): Promise<AnyOutcome> {
    return this.run('register', await stages.register(), {
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
