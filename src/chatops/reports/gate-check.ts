import type { WorkflowRun } from '../../github/port.ts';
import { code, type Markdown } from '../../report/markdown.ts';
import { oneLine } from '../../report/plain.ts';
import type { ChatopsContext } from '../context.ts';
import { gateReportMarkdown } from '../gate-report.ts';
import { conclusionOf, gateCheck, longestSummary, putCheck } from './checks.ts';
import type { Judged } from './judged.ts';
import { judgedHeadline } from './render.ts';

/** Sets the check that counts, on the commit that was judged or on one with the same model inputs. */
export async function putGateCheck(
  { github }: Pick<ChatopsContext, 'github'>,
  request: { judged: Judged; sha: string; run: Pick<WorkflowRun, 'url'> | null; note?: Markdown },
): Promise<void> {
  const { judged, sha, run, note } = request;
  const { model, version, commit, report } = judged;
  const named = `${code(`${model}@${version.version}`, 100)} · digest ${code(version.manifest.slice(0, 12))} · judged at ${code(commit.slice(0, 12))}`;
  const shown = report.record === null ? report : { ...report, record: { ...report.record, release: null } };
  const above = note === undefined ? named : `${note}\n\n${named}`;
  await putCheck(github, {
    ...gateCheck(model),
    headSha: sha,
    conclusion: conclusionOf(judged),
    title: oneLine(`${version.verdict}: ${judgedHeadline(judged)}`, 200),
    summary: `${above}\n\n${gateReportMarkdown(shown, longestSummary - above.length - 10)}`,
    annotations: [],
    detailsUrl: run?.url ?? null,
  });
}
