import { type Json, problems, resolve } from './description.ts';

/**
 * Gives an answer the fields that GitHub always sends and nobody here reads: whatever the schema requires and `value`
 * lacks gets the plainest value that the schema allows. What `value` says is never changed.
 */
export function complete(schema: Json, value: unknown): unknown {
  const plain = resolve(schema);
  const choices = (plain.anyOf ?? plain.oneOf) as Json[] | undefined;
  if (choices !== undefined) return completeOneOf(choices, plain, value);
  if (value === undefined) return plainest(plain);
  if (Array.isArray(value)) {
    const { items } = plain;
    return items === undefined ? value : value.map((one) => complete(items as Json, one));
  }
  if (typeof value !== 'object' || value === null || value instanceof Date) return value;
  const result: Json = { ...(value as Json) };
  for (const part of [plain, ...((plain.allOf as Json[] | undefined) ?? []).map(resolve)]) {
    const properties = (part.properties as Record<string, Json> | undefined) ?? {};
    for (const [name, inner] of Object.entries(properties)) {
      const required = ((part.required as string[] | undefined) ?? []).includes(name);
      if (result[name] !== undefined) result[name] = complete(inner, result[name]);
      else if (required) result[name] = complete(inner, undefined);
    }
  }
  return result;
}

/** Of several forms the first that the completed value fits. */
function completeOneOf(choices: readonly Json[], around: Json, value: unknown): unknown {
  const { anyOf, oneOf, ...rest } = around;
  if (value === undefined && choices.some((choice) => resolve(choice).type === 'null')) return null;
  if (value === null) return null;
  const based = Object.keys(rest).length === 0 ? value : complete(rest, value);
  const forms = choices.filter((choice) => resolve(choice).type !== 'null');
  if (forms.length === 1) return complete(forms[0]!, based);
  for (const choice of forms) {
    const completed = complete(choice, based);
    if (problems(choice, completed).length === 0) return completed;
  }
  return based;
}

function plainest(schema: Json): unknown {
  const types = [schema.type].flat() as (string | undefined)[];
  if (types.includes('null')) return null;
  if (Array.isArray(schema.enum)) return schema.enum[0];
  if (types.includes('object') || schema.properties !== undefined || schema.allOf !== undefined) {
    return complete(schema, {});
  }
  if (types.includes('array')) return [];
  if (types.includes('integer') || types.includes('number'))
    return (schema.minimum as number | undefined) ?? 0;
  if (types.includes('boolean')) return false;
  if (!types.includes('string')) return {};
  if (schema.format === 'uri') return 'https://github.invalid/';
  if (schema.format === 'date-time') return '2026-01-01T00:00:00Z';
  return '';
}
