import type { z } from 'zod';
import { UserError } from '../../errors.ts';
import type { Annotation, CheckRun, Checks, GitHub } from '../port.ts';
import * as answers from './answers.ts';
import type { GitHubApi } from './client.ts';

const repo = '/repos/{owner}/{repo}';
/** GitHub takes so many annotations in one request. */
const annotationsAtOnce = 50;
/** Checks and statuses of one commit, in pages of a hundred: beyond that nobody can say whether all are green. */
const checkPages = 10;

const good = new Set(['success', 'neutral', 'skipped']);

/** What one check or status says. */
interface Word {
  name: string;
  state: 'success' | 'pending' | 'failure';
}
const cannotSay: Checks = { state: 'unknown', failed: [], pending: [] };

type ChecksPart = Pick<GitHub, 'checkRun' | 'createCheckRun' | 'updateCheckRun' | 'checksOf'>;

/** Check runs of ours, and the state of everybody's. */
export function checksPart(api: GitHubApi, identity: answers.Identity): ChecksPart {
  const runs = `${repo}/commits/{ref}/check-runs`;

  async function annotate(id: number, check: CheckRun, annotations: readonly Annotation[]): Promise<void> {
    for (let at = 0; at < annotations.length; at += annotationsAtOnce) {
      const chunk = annotations.slice(at, at + annotationsAtOnce);
      await api.change(answers.WithId, `PATCH ${repo}/check-runs/{check_run_id}`, {
        check_run_id: id,
        output: { title: check.title, summary: check.summary, annotations: chunk.map(annotation) },
      });
    }
  }

  return {
    async checkRun({ sha, name, externalId }) {
      let newest: { id: number } | null = null;
      const asked = { ref: sha, check_name: name, filter: 'all', key: 'check_runs', pages: checkPages };
      for await (const one of api.list(answers.Check, runs, asked)) {
        if (one.external_id !== externalId || one.app?.slug !== identity.slug) continue;
        if (newest === null || one.id > newest.id) newest = { id: one.id };
      }
      return newest;
    },

    async createCheckRun(check) {
      const first = check.annotations.slice(0, annotationsAtOnce);
      const { id } = await api.change(answers.WithId, `POST ${repo}/check-runs`, {
        ...state(check),
        head_sha: check.headSha,
        output: { title: check.title, summary: check.summary, annotations: first.map(annotation) },
      });
      await annotate(id, check, check.annotations.slice(annotationsAtOnce));
      return { id };
    },

    async updateCheckRun(id, check) {
      await api.change(answers.WithId, `PATCH ${repo}/check-runs/{check_run_id}`, {
        check_run_id: id,
        ...state(check),
        output: { title: check.title, summary: check.summary },
      });
      if (check.annotations.length === 0) return;
      // GitHub adds annotations and never takes one back: only those that are not there go out.
      const there = new Set<string>();
      const route = `${repo}/check-runs/{check_run_id}/annotations`;
      for await (const one of api.list(answers.CheckAnnotation, route, { check_run_id: id })) {
        there.add(keyOf({ ...one, line: one.start_line, level: one.annotation_level ?? '' }));
      }
      const missing = check.annotations.filter((one) => !there.has(keyOf(one)));
      await annotate(id, check, missing);
    },

    async checksOf(sha) {
      const words: Word[] = [];
      try {
        const asked = { ref: sha, filter: 'latest', key: 'check_runs', pages: checkPages };
        for await (const one of api.list(answers.Check, runs, asked)) {
          words.push({ name: one.name, state: stateOf(one) });
        }
        const statuses = await combined(api, sha);
        if (statuses === null || words.length >= checkPages * 100) return cannotSay;
        words.push(...statuses);
      } catch (error) {
        // A commit that GitHub does not know, or checks that it does not show to us.
        if (error instanceof UserError) return cannotSay;
        throw error;
      }
      const named = (wanted: Word['state']) =>
        words.filter(({ state }) => state === wanted).map(({ name }) => name);
      const [failed, pending] = [named('failure'), named('pending')];
      const state = failed.length > 0 ? 'failure' : pending.length > 0 ? 'pending' : 'success';
      // Just after a push there are no checks yet: none at all is no green.
      return words.length === 0 ? cannotSay : { state, failed, pending };
    },
  };
}

const state = (check: CheckRun) => ({
  name: check.name,
  external_id: check.externalId,
  ...(check.detailsUrl === null ? {} : { details_url: check.detailsUrl }),
  ...(check.conclusion === null
    ? { status: 'in_progress' }
    : { status: 'completed', conclusion: check.conclusion }),
});

const annotation = ({ path, line, level, title, message }: Annotation) => ({
  path,
  start_line: line,
  end_line: line,
  annotation_level: level,
  title,
  message,
});

const keyOf = (one: { path: string; line: number; level: string; title: string; message: string }): string =>
  JSON.stringify([one.path, one.line, one.level, one.title, one.message]);

function stateOf({ status, conclusion }: z.infer<typeof answers.Check>): Word['state'] {
  if (status !== 'completed' || conclusion === null) return 'pending';
  return good.has(conclusion) ? 'success' : 'failure';
}

/** The commit statuses of old; null when there are more than can be read. */
async function combined(api: GitHubApi, sha: string) {
  const words: Word[] = [];
  for (let page = 1; page <= checkPages; page++) {
    const asked = { ref: sha, per_page: 100, page };
    const { statuses, total_count: total } = await api.get(
      answers.CombinedStatus,
      `${repo}/commits/{ref}/status`,
      asked,
    );
    for (const { context, state: word } of statuses) {
      words.push({ name: context, state: word === 'success' || word === 'pending' ? word : 'failure' });
    }
    if (words.length >= total || statuses.length === 0) return words;
  }
  return null;
}
