import { readFile, writeFile } from 'node:fs/promises';
import { operations, webhooks } from './operations.ts';

/**
 * Cuts what the fake needs out of GitHub's OpenAPI description, and turns `nullable` of OpenAPI 3.0 into JSON Schema:
 *
 *     node test/github/fake/openapi/generate.ts api.github.com.json
 *
 * The file is in the npm package @octokit/openapi 23.0.2, folder generated/ (MIT: see LICENSE beside this file).
 */
type Node = Record<string, unknown>;

const left = new Set([
  'description',
  'summary',
  'example',
  'examples',
  'tags',
  'externalDocs',
  'deprecated',
  'title',
  'readOnly',
  'discriminator',
]);
/** Kept: whether apps may call it, and whether a parameter may hold slashes. */
const kept = new Set(['x-github', 'x-multi-segment']);

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function cut(source: Node): Node {
  const components = new Map<string, unknown>();
  const pending: string[] = [];

  function clean(value: unknown, names = false): unknown {
    if (Array.isArray(value)) return value.map((one) => clean(one));
    if (!isNode(value)) return value;
    const result: Node = {};
    for (const [key, inner] of Object.entries(value)) {
      if (!names && (left.has(key) || (key.startsWith('x-') && !kept.has(key)))) continue;
      if (!names && key === '$ref' && typeof inner === 'string') pending.push(inner);
      if (!names && (key === 'enum' || key === 'default' || key === '$ref')) result[key] = inner;
      else if (!names && key === 'x-github' && isNode(inner)) {
        result[key] = { enabledForGitHubApps: inner.enabledForGitHubApps };
      } else result[key] = clean(inner, !names && key === 'properties');
    }
    return names ? result : withNull(result);
  }

  const paths: Record<string, Node> = {};
  const missing = new Set<string>(operations);
  for (const [path, item] of Object.entries(source.paths as Node)) {
    for (const [method, operation] of Object.entries(item as Node)) {
      const id = isNode(operation) ? String(operation.operationId) : '';
      if (!missing.delete(id)) continue;
      paths[path] = { ...paths[path], [method]: clean(operation) };
    }
  }
  const events: Node = {};
  for (const name of webhooks) {
    const body = pick(source['x-webhooks'], [name, 'post', 'requestBody', 'content', 'application/json']);
    if (body === undefined) missing.add(name);
    else events[name] = clean(pick(body, ['schema']));
  }
  if (missing.size > 0) throw new Error(`not in the description: ${[...missing].join(', ')}`);
  for (let reference = pending.pop(); reference !== undefined; reference = pending.pop()) {
    if (!components.has(reference)) {
      components.set(reference, clean(pick(source, reference.slice(2).split('/'))));
    }
  }
  const tree: Record<string, Node> = {};
  for (const [reference, schema] of [...components].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const [, kind = '', name = ''] = reference.slice(2).split('/');
    tree[kind] = { ...tree[kind], [name]: schema };
  }
  const info = source.info as Node;
  return {
    info: { version: info.version, title: info.title, license: info.license },
    paths,
    webhooks: events,
    components: tree,
  };
}

/** Where the description is narrower than GitHub: what its own pages and everybody's answers show. */
function correct(source: Node): Node {
  const parameters = pick(source, ['components', 'parameters', 'created']) as Node;
  // A range as in a search, `>=2026-01-01`, not only one time.
  parameters.schema = { type: 'string' };
  const head = pick(source, [
    'components',
    'schemas',
    'pull-request',
    'properties',
    'head',
    'properties',
  ]) as Node;
  // Nothing is left of a fork that was deleted.
  for (const name of ['repo', 'user']) head[name] = { anyOf: [head[name], { type: 'null' }] };
  return source;
}

function pick(value: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>((at, key) => (isNode(at) ? at[key] : undefined), value);
}

/** `nullable: true` says what `type: [..., 'null']` says in JSON Schema. */
function withNull(schema: Node): Node {
  const { nullable, ...rest } = schema;
  if (nullable === undefined) return schema;
  if (nullable !== true) return rest;
  if (typeof rest.type !== 'string') return { anyOf: [rest, { type: 'null' }] };
  if (Array.isArray(rest.enum) && !rest.enum.includes(null)) rest.enum = [...rest.enum, null];
  return { ...rest, type: [rest.type, 'null'] };
}

if (import.meta.main) {
  const file = process.argv[2];
  if (file === undefined) throw new Error('which api.github.com.json?');
  const target = new URL('./fixtures/github.json', import.meta.url);
  await writeFile(target, JSON.stringify(cut(correct(JSON.parse(await readFile(file, 'utf8'))))));
}
