import { z } from 'zod';
import { UserError } from '../errors.ts';
import { parseYaml } from '../yaml.ts';

/** What a job asks of a runner: all of these labels, in this group. Null: in any. */
export interface RunnerRequest {
  group: string | null;
  labels: readonly string[];
}

/** What matters of a workflow to others: who may call it, what it calls, and what it needs of the repository. */
export interface WorkflowText {
  /** Whether a caller must give it, by input. Null: no other workflow can call this one. */
  inputs: ReadonlyMap<string, boolean> | null;
  /** Calls of workflows of the same repository: the file's name, and the inputs that are given. */
  calls: readonly { file: string; given: readonly string[] }[];
  /** Environments that are named outright, not by an expression. */
  environments: readonly string[];
  /** Runners that are asked for outright, not by an expression. */
  runners: readonly RunnerRequest[];
  /** Actions and workflows of other repositories: `owner/repo/path@ref`. */
  uses: readonly string[];
}

/** Workflows by the names of their files; `read` is null where one is no workflow. */
export type Workflows = ReadonlyMap<string, { text: string; read: WorkflowText | null }>;

const Id = z.string().regex(/^[A-Za-z_][A-Za-z0-9_-]{0,99}$/);
const Inputs = z.record(Id, z.object({ required: z.boolean().default(false) }).nullable());
const Called = z.object({ inputs: Inputs.nullish() }).nullable();
/** As long as GitHub takes one. */
const Environment = z.string().max(255);
const Label = z.string().max(256);
/** Whatever else stands there, GitHub judges it. */
const RunsOn = z
  .union([
    Label,
    z.array(Label).max(100),
    z.object({ group: Label.optional(), labels: z.union([Label, z.array(Label).max(100)]).optional() }),
  ])
  .nullish()
  .catch(null);
const Steps = z
  .array(z.object({ uses: z.string().max(1000).optional() }))
  .nullish()
  .catch(null);
const Job = z.object({
  uses: z.string().nullish(),
  'runs-on': RunsOn,
  steps: Steps,
  with: z.record(Id, z.unknown()).nullish(),
  environment: z.union([Environment, z.object({ name: Environment })]).nullish(),
});
const Workflow = z.object({
  on: z.union([z.string(), z.array(z.string()), z.record(z.string(), z.unknown())]),
  jobs: z.record(z.string(), Job),
});

/** Reads a workflow as far as that; null where it is none. */
export function readWorkflow(text: string): WorkflowText | null {
  const found = Workflow.safeParse(yamlOf(text));
  if (!found.success) return null;
  const { on, jobs } = found.data;
  const called = calledBy(on);
  if (called === 'unknown') return null;
  return {
    inputs: called,
    calls: Object.values(jobs).flatMap((job) => {
      const file = /^\.\/\.github\/workflows\/([A-Za-z0-9][A-Za-z0-9._-]{0,99})$/.exec(job.uses ?? '')?.[1];
      return file === undefined ? [] : [{ file, given: Object.keys(job.with ?? {}) }];
    }),
    environments: [...new Set(Object.values(jobs).flatMap(environmentsOf))],
    runners: Object.values(jobs).flatMap((job) => runnerOf(job['runs-on'])),
    uses: [...new Set(Object.values(jobs).flatMap(usesOf))],
  };
}

function yamlOf(text: string): unknown {
  try {
    return parseYaml(text, 'workflow', 'config_invalid').value;
  } catch (error) {
    if (error instanceof UserError) return null;
    throw error;
  }
}

function calledBy(on: z.infer<typeof Workflow>['on']): WorkflowText['inputs'] | 'unknown' {
  if (typeof on === 'string' || Array.isArray(on))
    return [on].flat().includes('workflow_call') ? new Map() : null;
  if (!Object.hasOwn(on, 'workflow_call')) return null;
  const found = Called.safeParse(on.workflow_call);
  if (!found.success) return 'unknown';
  const inputs = Object.entries(found.data?.inputs ?? {});
  return new Map(inputs.map(([name, input]) => [name, input?.required ?? false]));
}

/** A job's own, or the one that it gives to what it calls. */
function environmentsOf({ uses, with: given, environment }: z.infer<typeof Job>): string[] {
  const named = typeof environment === 'string' ? environment : environment?.name;
  const passed = typeof uses === 'string' ? given?.environment : undefined;
  return [named, passed].filter(
    (one): one is string => typeof one === 'string' && one !== '' && !one.includes('${{'),
  );
}

function runnerOf(asked: z.infer<typeof RunsOn>): RunnerRequest[] {
  if (asked === null || asked === undefined) return [];
  const { group = null, labels = [] } =
    typeof asked === 'string' || Array.isArray(asked) ? { labels: asked } : asked;
  const all = [labels].flat();
  if ((group === null && all.length === 0) || [group, ...all].some((one) => one?.includes('${{'))) return [];
  return [{ group, labels: all }];
}

function usesOf({ uses, steps }: z.infer<typeof Job>): string[] {
  return [uses, ...(steps ?? []).map((step) => step.uses)].filter(
    (one): one is string => typeof one === 'string' && /^[\w.-]+\/[\w.-]+(?:\/[\w./-]*)?@[^\s]+$/.test(one),
  );
}
