import type { Annotation, WorkflowRun } from '../../github/port.ts';
import { type Markdown, paragraphs, text } from '../../report/markdown.ts';
import { oneLine } from '../../report/plain.ts';
import type { ChatopsContext, ConfiguredModel } from '../context.ts';
import { longestSummary, putCheck, sampleCheck } from './checks.ts';
import { repositoryPath } from './paths.ts';
import type { ReportRecord } from './record.ts';
import { samplesMarkdown, sampleTitle, worstOf } from './render-sample.ts';
import type { SampleResult } from './result.ts';

/** GitHub takes so many in one request. */
const annotationLimit = 50;
/** Characters of each text: less until the whole fits. */
const rooms = [200, 60, 20] as const;

type Sample = NonNullable<ReportRecord['sample']>;

/** The advisory check of a pull request's run: failure or neutral, with the contract's broken lines. */
export async function putSampleCheck(
  { github, models, base }: ChatopsContext,
  {
    model,
    run,
    sample,
    results,
  }: { model: string | null; run: WorkflowRun; sample: Sample; results: readonly SampleResult[] },
): Promise<void> {
  const worst = worstOf(sample.parts);
  const configured = model === null ? undefined : models.get(model);
  await putCheck(github, {
    ...sampleCheck(model, run),
    headSha: run.headSha,
    conclusion: worst === 'fail' || worst === 'error' ? 'failure' : 'neutral',
    title: sampleTitle(sample),
    summary: paragraphs(
      partsThatFit(sample),
      `Advice of the pull request's own run: it promotes nothing. What counts is judged by ${text(base.branch, 100)}.`,
    ),
    annotations:
      configured === undefined
        ? []
        : results.flatMap((result) => annotations(result, configured)).slice(0, annotationLimit),
    detailsUrl: run.url,
  });
}

function partsThatFit(sample: Sample): Markdown {
  const told = rooms.map((room) => samplesMarkdown(sample, room));
  return (
    told.find((one) => one.length < longestSummary - 1_000) ??
    'More did not fit here: the log of the run has it.'
  );
}

/** On lines of the contracts that the default branch's configuration names: no path is taken from a result. */
function annotations({ contract }: SampleResult, model: ConfiguredModel): Annotation[] {
  const contracts = contractPaths(model);
  return contract.flatMap(({ id, level, message, line }) => {
    const file = contracts.find(({ source }) => id.startsWith(`${source}.`))?.file;
    const at = file ?? (contracts.length === 1 ? contracts[0]?.file : undefined);
    if (at === undefined || line === null) return [];
    const title = oneLine(`Contract: ${id}`, 120);
    return [{ path: at, line, level, title, message: oneLine(message, 1000) || title }];
  });
}

function contractPaths({ file, config }: ConfiguredModel): { source: string; file: string }[] {
  return Object.entries(config.data.sources).flatMap(([source, { contract }]) => {
    const inside = contract === undefined ? null : repositoryPath(file, contract);
    return inside === null ? [] : [{ source, file: inside }];
  });
}
