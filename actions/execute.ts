import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { stageOrder } from '../src/config/stage-order.ts';
import { asTold, errorRecord, UserError } from '../src/errors.ts';
import { Digest } from '../src/json.ts';
import { exitCode, failedOutcome, type Outcome } from '../src/outcome.ts';
import type { Command, Project } from '../src/stages/command.ts';
import type { StageOutcome } from '../src/stages/define.ts';
import type { ProjectOptions } from '../src/stages/project.ts';
import { keys } from '../src/store/keys.ts';
import type { Store } from '../src/store/store.ts';
import { type Annotation, annotationLimit, outcomeAnnotation } from './annotations.ts';
import {
  type ArtifactService,
  artifactName,
  deliverArtifact,
  hasArtifactService,
  receiveArtifacts,
} from './artifacts.ts';
import { type ActionInputs, type InputSource, lines, readInputs } from './inputs.ts';
import { runnerLog } from './log.ts';
import { type ActionName, commandOf, handingOver } from './names.ts';
import { commonOutputs, jsonOutputs, stageOutputs } from './outputs.ts';
import { redactor } from './redact.ts';
import { describeRunner } from './runner.ts';
import { isScalar, renderSummary } from './summary.ts';

/** What of the runner an action touches; a test gives its own. */
export interface ActionHost {
  env: NodeJS.ProcessEnv;
  input: InputSource;
  openProject(options: ProjectOptions): Promise<Project & AsyncDisposable>;
  artifacts: ArtifactService;
  info(message: string): void;
  debug(message: string): void;
  annotate(annotation: Annotation): void;
  setOutput(name: string, value: string): void;
  writeSummary(markdown: string): Promise<void>;
  /** Lets the runner read no command from standard output until the token comes. */
  stopCommands(token: string): void;
  resumeCommands(token: string): void;
  signal: AbortSignal;
}

/** The commands that an action can run; only the code of the one that is run is loaded. */
export interface CommandSource {
  names: readonly string[];
  load(name: string): Promise<Command | undefined>;
}

/** Runs one action from inputs to exit code: every end, also an unexpected one, is an outcome. */
export async function executeAction(name: string, known: CommandSource, host: ActionHost): Promise<number> {
  const redact = redactor(host.env);
  const run: ActionRun = { outcome: null, inputs: null, trouble: null };
  let thrown: unknown;
  try {
    const command = await known.load(commandOf(name));
    if (command === undefined) throw unknownStage(name, known.names);
    run.inputs = readInputs(command.options, host.input);
    await runCommand(command, run, { name, host, redact });
  } catch (error) {
    thrown = asTold(error, { signal: host.signal, where: `action ${name}` });
  }
  // A thrown error after the stage has ended leaves the stage's outcome as it is: a promotion has happened.
  if (run.outcome !== null) run.trouble ??= thrown ?? null;
  const outcome = run.outcome ?? redactOutcome(toldFailure(name || 'stage', thrown, host, redact), redact);
  try {
    await report(name, outcome, run, host);
  } catch (error) {
    run.trouble ??= error;
  }
  if (run.trouble !== null) {
    const { message, fix } = errorRecord(run.trouble);
    const title = `ModelGate ${outcome.stage}: the result could not be handed on`;
    host.annotate({ level: 'error', title, message: redact(`${message} ${fix}`) });
    return exitCode(outcome) || 1;
  }
  if (outcome.verdict === 'inconclusive' && run.inputs?.common.on_inconclusive === 'pass') return 0;
  return exitCode(outcome);
}

/** Bytes of Markdown that are read; the summary shows less. */
const reportLimit = 5_000_000;

interface ActionRun {
  /** Null until the stage has ended. */
  outcome: Outcome | null;
  inputs: ActionInputs | null;
  /** What went wrong while the outcome was told and handed on. */
  trouble: unknown;
}

async function runCommand(
  command: Command,
  run: ActionRun,
  { name, host, redact }: { name: string; host: ActionHost; redact: (text: string) => string },
): Promise<void> {
  const { common, options } = run.inputs!;
  const { env } = host;
  const workspace = env.GITHUB_WORKSPACE ?? process.cwd();
  if (common.working_directory !== undefined)
    process.chdir(insideWorkspace(workspace, common.working_directory));
  const receive = lines(common.from_artifacts ?? '').map((name) => artifactName(name, 'from-artifacts'));
  const deliver = common.upload_artifact ?? `modelgate-${name}`;
  if (deliver !== 'none') artifactName(deliver, 'upload-artifact');

  const log = runnerLog((text) => host.info(text), redact, env.RUNNER_DEBUG === '1');
  await using project = await host.openProject({
    configFile: common.config,
    store: common.store,
    asOf: common.as_of,
    // a workflow that an app dispatched says for whom
    actor: {
      name: (env.MODELGATE_ACTOR || env.GITHUB_ACTOR || os.userInfo().username || 'unknown').slice(0, 100),
      via: 'action',
    },
    logger: log.logger,
    signal: host.signal,
  });
  const { store } = project.context;
  const temporary = await temporaryFolder(env);
  if (receive.length > 0) {
    const handed = await receiveArtifacts(host.artifacts, receive, store, temporary);
    if (takesOver(command.name)) takeOver(options, command, handed);
  }

  // Whatever a stage, a script or a column's name prints, the runner takes no command from it.
  const token = randomUUID();
  host.stopCommands(token);
  let ran: StageOutcome<Record<string, unknown>>;
  try {
    ran = await command.run(options, project);
  } finally {
    host.resumeCommands(token);
    for (const message of log.warnings.slice(0, annotationLimit)) {
      host.annotate({ level: 'warning', title: `ModelGate ${command.name}`, message });
    }
  }
  const outcome = redactOutcome(ran as Outcome, redact);
  run.outcome = outcome;
  const markdown = redact(await summaryOf(outcome, store, env));
  await host.writeSummary(markdown);
  for (const annotation of await annotationsOf(outcome, project, workspace)) {
    host.annotate({ ...annotation, message: redact(annotation.message) });
  }
  // the bot tells from the class of a scheduled check that failed what to do; others' failures hand over nothing
  const told = outcome.verdict !== 'error' || command.name === 'monitor';
  if (deliver !== 'none' && told && hasArtifactService(env)) {
    await deliverArtifact(host.artifacts, {
      name: deliver,
      outcome,
      summary: markdown,
      store,
      closure: handingOver.includes(name),
      temporary,
    });
  }
}

/** Commands whose options are digests of what earlier jobs made; elsewhere `model` is a name. */
const takesOver = (name: string): boolean => ([...stageOrder, 'scan'] as readonly string[]).includes(name);

/** What was left out and an earlier job handed over: a job of a matrix has no outputs of its own for another. */
function takeOver(
  options: Record<string, unknown>,
  command: Command,
  handed: ReadonlyMap<string, Digest>,
): void {
  for (const name of Object.keys(command.options.shape)) {
    if (options[name] === undefined && handed.has(name)) options[name] = handed.get(name);
  }
}

/** The contract checks that did not pass; only an outcome that names a validation needs the code of contracts. */
async function annotationsOf(outcome: Outcome, project: Project, workspace: string): Promise<Annotation[]> {
  if (outcome.outputs.validation === undefined) return [];
  const { contractAnnotations } = await import('./contract-annotations.ts');
  return (await contractAnnotations(outcome, project, workspace)).slice(0, annotationLimit - 1);
}

async function report(name: string, outcome: Outcome, run: ActionRun, host: ActionHost): Promise<void> {
  const { env } = host;
  const folder = await mkdtemp(path.join(await temporaryFolder(env), 'modelgate-outcome-'));
  const file = path.join(folder, 'outcome.json');
  await writeFile(file, `${JSON.stringify(outcome, null, 2)}\n`);
  host.setOutput('verdict', outcome.verdict);
  host.setOutput('reason-code', outcome.reason_code);
  host.setOutput('outcome', file);
  host.setOutput('cached', String(outcome.cached));
  host.setOutput('trace-id', outcome.trace_id);
  // An earlier stage may have stopped the run: its outputs are not this action's, unless it declares them too.
  const declared = outcome.stage === name ? null : (stageOutputs[name as ActionName] ?? {});
  for (const [key, value] of Object.entries(outcome.outputs)) {
    const output = key.replaceAll('_', '-');
    if (output in commonOutputs || (declared !== null && !(output in declared))) continue;
    if (isScalar(value)) host.setOutput(output, String(value));
    else if (jsonOutputs.includes(output) && value !== null) host.setOutput(output, JSON.stringify(value));
  }
  const annotation = outcomeAnnotation(outcome, env.GITHUB_WORKSPACE ?? process.cwd());
  if (annotation !== null) host.annotate(annotation);
  if (run.outcome === null) await host.writeSummary(await summaryOf(outcome, null, env));
  host.info(`${outcome.stage}: ${outcome.verdict} (${outcome.reason_code})`);
}

async function summaryOf(outcome: Outcome, store: Store | null, env: NodeJS.ProcessEnv): Promise<string> {
  return renderSummary({
    outcome,
    runner: await describeRunner(env),
    report: store === null ? null : await readReport(outcome, store),
  });
}

/** The Markdown report that an outcome names as `markdown`, or that stands in its drift's manifest. */
async function readReport({ outputs }: Outcome, store: Store): Promise<string | null> {
  const markdown = Digest.safeParse(outputs.markdown);
  if (markdown.success) return (await store.readBytes(markdown.data, reportLimit)).toString('utf8');
  const drift = Digest.safeParse(outputs.drift);
  if (!drift.success || (await store.storage.size(keys.manifest(drift.data))) === null) return null;
  const { files } = await store.readManifest(drift.data);
  const report = files.find((file) => file.name === 'report.md' || file.name === 'issue.md');
  return report === undefined ? null : (await store.readBytes(report.sha256, reportLimit)).toString('utf8');
}

function redactOutcome(outcome: Outcome, redact: (text: string) => string): Outcome {
  return JSON.parse(redact(JSON.stringify(outcome))) as Outcome;
}

/** A failure as an outcome; the stack of a fault of ours goes to the debug log. */
function toldFailure(
  stage: string,
  error: unknown,
  host: ActionHost,
  redact: (text: string) => string,
): Outcome {
  if (!(error instanceof UserError) && error instanceof Error)
    host.debug(redact(error.stack ?? error.message));
  return failedOutcome({ stage, error });
}

function unknownStage(name: string, known: readonly string[]): UserError {
  return new UserError({
    code: 'usage',
    message:
      name === '' ? 'The input stage is needed.' : `There is no stage ${JSON.stringify(name.slice(0, 50))}.`,
    where: 'input stage',
    fix: `Set it to one of ${known.join(', ')}.`,
  });
}

function insideWorkspace(workspace: string, folder: string): string {
  const resolved = path.resolve(workspace, folder);
  const relative = path.relative(workspace, resolved);
  if (relative === '..' || relative.startsWith(`..${path.sep}`) || path.isAbsolute(relative)) {
    throw new UserError({
      code: 'usage',
      message: 'The working directory is outside of the workspace.',
      where: 'input working-directory',
      fix: 'Give a folder of the checked-out repository.',
    });
  }
  return resolved;
}

async function temporaryFolder(env: NodeJS.ProcessEnv): Promise<string> {
  const folder = env.RUNNER_TEMP ?? path.join(os.tmpdir(), 'modelgate');
  await mkdir(folder, { recursive: true });
  return folder;
}
