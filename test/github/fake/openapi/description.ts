import { readFileSync } from 'node:fs';
import { Ajv, type ValidateFunction } from 'ajv';
import type { OperationId } from './operations.ts';

export type Json = Record<string, unknown>;

interface Parameter {
  name: string;
  in: 'path' | 'query' | 'header';
  required?: boolean;
  schema: Json;
  'x-multi-segment'?: boolean;
}

interface RawOperation {
  operationId: OperationId;
  parameters?: (Parameter | { $ref: string })[];
  requestBody?: { required?: boolean; content: Record<string, { schema: Json }> };
  responses: Record<string, { $ref: string } | RawResponse>;
  'x-github'?: { enabledForGitHubApps?: boolean };
}
interface RawResponse {
  content?: Record<string, { schema: Json }>;
}

const document = JSON.parse(readFileSync(new URL('./fixtures/github.json', import.meta.url), 'utf8')) as {
  info: { version: string };
  paths: Record<string, Record<string, RawOperation>>;
  webhooks: Record<string, Json>;
  components: Json;
};

/** GitHub's words are checked as they are: no default is filled in, only queries are turned into their types. */
function compiler(coerceTypes: boolean): Ajv {
  const ajv = new Ajv({
    strict: false,
    allErrors: true,
    coerceTypes,
    validateSchema: false,
    inlineRefs: false,
  });
  ajv.addFormat('date-time', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/);
  // What was never set is an empty text on GitHub, whatever the description says.
  ajv.addFormat('uri', /^$|^[a-z][a-z0-9+.-]*:\S+$/i);
  for (const format of [
    'int64',
    'int32',
    'email',
    'uri-template',
    'timestamp',
    'date',
    'binary',
    'repo.nwo',
  ]) {
    ajv.addFormat(format, true);
  }
  ajv.addSchema(document, 'github');
  return ajv;
}
const strict = compiler(false);
const coercing = compiler(true);

/** Follows `#/…` inside the description. */
export function resolve(schema: Json): Json {
  let at: Json = schema;
  while (typeof at.$ref === 'string') {
    at = at.$ref
      .slice(2)
      .split('/')
      .reduce<unknown>((node, key) => (node as Json)[key], document) as Json;
  }
  return at;
}

function withAbsoluteReferences(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(withAbsoluteReferences);
  if (typeof schema !== 'object' || schema === null) return schema;
  return Object.fromEntries(
    Object.entries(schema).map(([key, value]) => [
      key,
      key === '$ref' && typeof value === 'string' ? `github${value}` : withAbsoluteReferences(value),
    ]),
  );
}

const compiled = new WeakMap<Json, ValidateFunction>();
/** What is wrong with `value`, one line each; nothing when it fits. */
export function problems(schema: Json, value: unknown, { coerce = false } = {}): string[] {
  let validate = compiled.get(schema);
  if (validate === undefined) {
    validate = (coerce ? coercing : strict).compile(withAbsoluteReferences(schema) as Json);
    compiled.set(schema, validate);
  }
  if (validate(value)) return [];
  return (validate.errors ?? []).slice(0, 10).map((one) => `${one.instancePath || '/'} ${one.message ?? ''}`);
}

export interface Operation {
  id: OperationId;
  method: string;
  /** An installation's token may call it. */
  forApps: boolean;
  pattern: RegExp;
  names: string[];
  /** Of path and query together, as objects. */
  path: Json;
  query: Json;
  body: Json | null;
  bodyRequired: boolean;
  /** Null: documented, without a JSON body. */
  responses: ReadonlyMap<number, Json | null>;
}

function operation(path: string, method: string, raw: RawOperation): Operation {
  const parameters = (raw.parameters ?? []).map((one) => resolve(one as Json) as unknown as Parameter);
  const multi = new Set(parameters.filter((one) => one['x-multi-segment']).map((one) => one.name));
  const names: string[] = [];
  const pattern = path.replaceAll(/\{([^}]+)\}/g, (_, name: string) => {
    names.push(name);
    return multi.has(name) || name === 'path' || name === 'ref' ? '(.+)' : '([^/]+)';
  });
  const object = (place: Parameter['in']): Json => {
    const own = parameters.filter((one) => one.in === place);
    return {
      type: 'object',
      additionalProperties: false,
      required: own.filter((one) => one.required === true).map((one) => one.name),
      properties: Object.fromEntries(own.map((one) => [one.name, one.schema])),
    };
  };
  const responses = new Map<number, Json | null>();
  for (const [status, response] of Object.entries(raw.responses)) {
    const content = (resolve(response as Json) as RawResponse).content ?? {};
    responses.set(Number(status), content['application/json']?.schema ?? null);
  }
  return {
    id: raw.operationId,
    method: method.toUpperCase(),
    forApps: raw['x-github']?.enabledForGitHubApps !== false,
    pattern: new RegExp(`^${pattern}$`),
    names,
    path: object('path'),
    query: object('query'),
    body: raw.requestBody?.content['application/json']?.schema ?? null,
    bodyRequired: raw.requestBody?.required === true,
    responses,
  };
}

/** Those with fewer wild parts first, so that a plain word wins over a name. */
const all: Operation[] = Object.entries(document.paths)
  .flatMap(([path, item]) => Object.entries(item).map(([method, raw]) => operation(path, method, raw)))
  .sort((a, b) => a.names.length - b.names.length || b.pattern.source.length - a.pattern.source.length);

/** The operation of a request, with the parameters of its path, decoded. */
export function findOperation(
  method: string,
  path: string,
): { operation: Operation; parameters: Record<string, string> } | null {
  for (const one of all) {
    const match = one.method === method ? one.pattern.exec(path) : null;
    if (match === null) continue;
    const parameters = one.names.map((name, at) => [name, decodeURIComponent(match[at + 1]!)]);
    return { operation: one, parameters: Object.fromEntries(parameters) };
  }
  return null;
}

/** The schema of a webhook's payload; null for one that the description does not know. */
export function webhookSchema(event: string, action: string | null): Json | null {
  const name = [event, action]
    .filter((part) => part !== null)
    .join('-')
    .replaceAll('_', '-');
  return document.webhooks[name] ?? null;
}

/** Names of fields in a body that the description does not know: a typing error of ours, not GitHub's. */
export function unknownFields(schema: Json, body: unknown): string[] {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return [];
  const known = knownFields(schema);
  return known === null ? [] : Object.keys(body).filter((key) => !known.has(key));
}

function knownFields(schema: Json): Set<string> | null {
  const plain = resolve(schema);
  if (plain.additionalProperties !== undefined && plain.additionalProperties !== false) return null;
  const known = new Set(Object.keys((plain.properties as Json | undefined) ?? {}));
  for (const part of ['anyOf', 'oneOf', 'allOf'].flatMap((key) => (plain[key] as Json[] | undefined) ?? [])) {
    const inner = knownFields(part);
    if (inner === null) return null;
    for (const name of inner) known.add(name);
  }
  return known.size === 0 ? null : known;
}
