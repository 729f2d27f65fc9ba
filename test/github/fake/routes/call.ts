import { notFound } from '../errors.ts';
import type { Author, FakeGitHub } from '../github.ts';
import type { OperationId } from '../openapi/index.ts';
import type { FakeRepository } from '../repository.ts';
import type { Actor } from '../state.ts';

/** A request whose parameters, query and body fit GitHub's description. */
export interface Call {
  github: FakeGitHub;
  actor: Actor;
  by: Author;
  parameters: Readonly<Record<string, string>>;
  query: Readonly<Record<string, string | number | undefined>>;
  /** Fits the operation's schema: a handler may say so by a cast. */
  body: unknown;
  headers: Readonly<Record<string, string | string[] | undefined>>;
}

export interface Answer {
  status: number;
  /** Completed and checked by the operation's schema. */
  body?: unknown;
  headers?: Record<string, string>;
}
export type Handler = (call: Call) => Answer;
export type Handlers = Partial<Record<OperationId, Handler>>;

export function repositoryOf(call: Call): FakeRepository {
  const name = `${call.parameters.owner}/${call.parameters.repo}`.toLowerCase();
  const found = call.github.repositories.get(name);
  if (found === undefined) throw notFound();
  return found;
}

/** A page of a list, with the Link header that leads to the next. */
export function page<T>(call: Call, all: readonly T[], render: (one: T) => unknown, wrap?: string): Answer {
  const size = Math.min(Math.max(Number(call.query.per_page ?? 30), 1), 100);
  const at = Math.max(Number(call.query.page ?? 1), 1);
  const items = all.slice((at - 1) * size, at * size).map(render);
  const last = Math.max(1, Math.ceil(all.length / size));
  const link = (to: number, rel: string) => `<${call.github.url}/?page=${to}&per_page=${size}>; rel="${rel}"`;
  return {
    status: 200,
    body: wrap === undefined ? items : { total_count: all.length, [wrap]: items },
    ...(at < last ? { headers: { link: `${link(at + 1, 'next')}, ${link(last, 'last')}` } } : {}),
  };
}
