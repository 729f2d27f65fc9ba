import { z } from 'zod';
import type { StageName } from '../../config/stage-order.ts';
import { Digest } from '../../json.ts';
import { defineCommand } from '../command.ts';
import type { StageOutcome } from '../define.ts';
import { type Overrun, overruns, overrunText } from '../expected.ts';
import { Pipeline } from '../pipeline.ts';
import { CheckResult } from '../validate.ts';
import { scanOption } from './scan-option.ts';

const run = defineCommand({
  name: 'run',
  description: 'Every stage from ingest to gate and registration; what has been done before is read back.',
  positional: [],
  options: z.object({ scan: scanOption }),
  examples: ['modelgate run', 'modelgate run --config candidates/weather.yaml --json'],
  async run({ scan = [] }, project) {
    const started = performance.now();
    const { logger } = project.context;
    const pipeline = await Pipeline.open(
      project,
      {},
      {
        ended: (stage, outcome) => {
          const time = outcome.cached ? 'read back' : `${outcome.timings.total?.toFixed(1)} s`;
          logger.info(`${stage.padEnd(8)}  ${time.padStart(9)}  ${outcome.summary}`);
        },
      },
      scan,
    );
    const last = await pipeline.upTo('register');
    const seconds = (performance.now() - started) / 1000;
    const { outcomes, config } = pipeline;
    const late = overruns(config.expected, { outcomes, seconds });
    for (const one of late) logger.warn(overrunText(one));
    return runOutcome({ model: config.model, last, outcomes, seconds, late });
  },
});

/** One outcome for the whole run: the gate's verdict where it got that far, else that of the stage that stopped it. */
export function runOutcome(ended: {
  model: string;
  last: StageOutcome<Record<string, unknown>>;
  outcomes: readonly StageOutcome<Record<string, unknown>>[];
  seconds: number;
  /** What took longer than expected: told, and no reason for another verdict. */
  late?: readonly Overrun[];
}): StageOutcome<Record<string, unknown>> {
  const { model, last, outcomes, seconds, late = [] } = ended;
  const gate = outcomes.find((outcome) => outcome.stage === 'gate');
  const decisive = last.stage === 'register' && last.verdict === 'pass' ? (gate ?? last) : last;
  const version = last.stage === 'register' ? (last.outputs.version ?? null) : null;
  const outputs: Record<string, unknown> = {};
  for (const outcome of outcomes) Object.assign(outputs, digests(outcome.outputs));
  return {
    ...decisive,
    stage: 'run',
    summary: [decisive.summary, ...late.map(overrunText)].join(' '),
    inputs: { model },
    cached: outcomes.every((outcome) => outcome.cached),
    outputs: {
      ...outputs,
      version,
      overruns: late,
      ...told(outcomes),
      stages: outcomes.map((outcome) => ({
        stage: outcome.stage,
        verdict: outcome.verdict,
        cached: outcome.cached,
        seconds: outcome.timings.total ?? 0,
        summary: outcome.summary,
      })),
    },
    timings: { total: Math.round(seconds * 1000) / 1000 },
  };
}

/** What a report of the run shows, within the size that a pull request's result may have. */
function told(outcomes: readonly StageOutcome<Record<string, unknown>>[]): Record<string, unknown> {
  const of = (stage: StageName) => outcomes.find((outcome) => outcome.stage === stage)?.outputs;
  const contract = z.array(CheckResult).catch([]).parse(of('validate')?.checks);
  const broken = contract.filter(({ verdict }) => verdict !== 'pass');
  return {
    contract_checks: broken
      .sort((a, b) => Number(a.verdict === 'warn') - Number(b.verdict === 'warn'))
      .slice(0, mostChecks)
      .map(({ id, verdict, message, line }) => ({ id, verdict, message: message.slice(0, 500), line })),
    reasons: z.array(z.string()).catch([]).parse(of('gate')?.reasons).slice(0, mostChecks),
  };
}
/** Broken contract rules and reasons that a run's outcome tells; their stages have them all. */
const mostChecks = 50;

function digests(outputs: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(outputs).filter(([, value]) => Digest.safeParse(value).success));
}

export const runCommands = [run];
