import { formatNumber } from '../../../src/cli/render.ts';
import { statusLines } from '../../../src/cli/views.ts';
import { renderStory, type StorySection } from '../../../src/report/story.ts';
import type { Caller, Result } from './call.ts';
import type { Pictures } from './pictures.ts';
import type { Progress } from './progress.ts';

type Outputs = Record<string, unknown>;
const decisive = new Set(['gate', 'promote', 'rollback', 'serve', 'monitor', 'registry verify']);
const shortened = (text: string) => (text.length > 100 ? `${text.slice(0, 99)}…` : text);

/** Runs the story's commands, tells each on the terminal, and keeps what happened for the table and the report. */
export class Chronicle {
  private readonly call: Caller;
  private readonly progress: Progress;
  private readonly pictures: Pictures;
  private readonly sections: StorySection[] = [];
  private readonly steps: string[][] = [];

  constructor(parts: { call: Caller; progress: Progress; pictures: Pictures }) {
    this.call = parts.call;
    this.progress = parts.progress;
    this.pictures = parts.pictures;
  }

  chapter(title: string): void {
    this.progress.chapter(title);
    this.sections.push({ title, text: [] });
  }

  note(text: string): void {
    this.progress.note(text);
    this.section.text.push(text);
  }

  /** Runs a command; for `run`, one line a stage. */
  async run(name: string, options: Outputs, config: string): Promise<Result> {
    const result = await this.call(name, options, { config });
    if (result.reason_code === 'interrupted') throw new Error('interrupted');
    const stages = name === 'run' ? (result.outputs.stages as Outputs[]) : null;
    for (const stage of stages ?? []) this.stageLine(stage);
    if (stages === null) this.line(name, result);
    else await this.tell(result);
    return result;
  }

  /** Promotes a run's version through environments, until one refuses. */
  async promote(run: Result, environments: readonly string[], config: string): Promise<void> {
    if (run.outputs.version == null) throw new Error(`there is no version to promote: ${run.summary}`);
    for (const to of environments) {
      const result = await this.run('promote', { model: `flights-late@${run.outputs.version}`, to }, config);
      if (result.verdict !== 'pass') return;
    }
  }

  /** Runs a batch that must be refused. */
  async refusal(what: string, config: string): Promise<void> {
    const result = await this.call('run', {}, { config });
    if (result.verdict === 'pass') throw new Error(`${what}: was not refused`);
    this.line('validate', result, `${what}: ${result.summary}`);
  }

  async status(model: string, config: string): Promise<void> {
    const result = await this.run('status', { model }, config);
    const environments = result.outputs.environments as Outputs[];
    this.section.table = {
      header: ['environment', 'version', 'since', 'trained at', 'metrics', 'a rollback restores'],
      rows: environments.map((one) =>
        [one.environment, one.version, one.since, one.trained_at, numbers(one.metrics), one.rollback_to].map(
          cell,
        ),
      ),
    };
    for (const line of statusLines(result.outputs)) this.progress.note(line);
  }

  async trace(predictionId: string, config: string): Promise<void> {
    const result = await this.run('trace', { prediction_id: predictionId }, config);
    const { version, run, commit, snapshot, features } = result.outputs;
    const { sources } = snapshot as { sources: { source: string; digest: string; rows: number }[] };
    this.note(
      [
        `version ${version}, run ${cell((run as Outputs).run)}, commit ${cell(commit)}`,
        `data: ${sources.map(({ source, digest, rows }) => `${source} ${digest.slice(0, 12)} (${rows} rows)`).join(', ')}`,
        `features: ${numbers(features)}`,
      ].join('\n'),
    );
  }

  line(name: string, result: Result, text = result.summary): void {
    const seconds = result.timings.total ?? null;
    const told = result.cached ? `(read back) ${text}` : text;
    this.progress.line(result.verdict, name, seconds, told);
    this.record(name, result.verdict, seconds, told);
  }

  event(name: string, seconds: number | null, text: string): void {
    this.progress.line('pass', name, seconds, text);
    this.record(name, 'pass', seconds, text);
  }

  async drift(result: Result): Promise<void> {
    await this.pictures.drift(this.section, String(result.outputs.drift), result.outputs.drifted as string[]);
  }

  details(title: string, text: string): void {
    this.section.details = [...(this.section.details ?? []), { title, text }];
  }

  rows(): string[][] {
    return this.steps;
  }

  html(seconds: number): string {
    return renderStory({
      title: 'Late flights: from data to production and back',
      subtitle: `Told in ${seconds.toFixed(1)} seconds. Every number was measured in this run.`,
      sections: this.sections,
    });
  }

  private stageLine(stage: Outputs): void {
    const verdict = stage.verdict as Result['verdict'];
    const text = `${stage.cached ? '(read back) ' : ''}${stage.summary}`;
    this.progress.line(verdict, String(stage.stage), Number(stage.seconds), text);
    this.record(String(stage.stage), verdict, Number(stage.seconds), text);
  }

  private async tell({ verdict, outputs }: Result): Promise<void> {
    this.section.verdict = verdict;
    if (typeof outputs.gate === 'string') {
      await this.pictures.gate(this.section, outputs.gate, `version-${outputs.version}`);
    }
  }

  private record(name: string, verdict: Result['verdict'], seconds: number | null, text: string): void {
    // The table at the end has what was decided and what moved; the report has every step.
    if (verdict !== 'pass' || decisive.has(name)) {
      this.steps.push([
        String(this.sections.length),
        name,
        verdict === 'error' ? 'refused' : verdict,
        shortened(text),
      ]);
    }
    const told = verdict === 'error' ? 'Refused' : verdict;
    this.section.steps = [...(this.section.steps ?? []), { name, verdict: told, seconds, text }];
  }

  private get section(): StorySection {
    const last = this.sections.at(-1);
    if (last === undefined) throw new Error('a chapter comes first');
    return last;
  }
}

function cell(value: unknown): string {
  if (value === null || value === undefined) return '–';
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

function numbers(record: unknown): string {
  return Object.entries((record ?? {}) as Outputs)
    .map(([name, value]) => `${name} ${typeof value === 'number' ? formatNumber(value) : cell(value)}`)
    .join(', ');
}
