import { configSchema } from './config-schema.ts';

/** Of JSON Schema, what z.toJSONSchema makes of src/config/schema.ts. */
interface Schema {
  $ref?: string;
  type?: string;
  const?: unknown;
  enum?: unknown[];
  description?: string;
  default?: unknown;
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  exclusiveMaximum?: number;
  anyOf?: Schema[];
  oneOf?: Schema[];
  allOf?: Schema[];
  items?: Schema;
  properties?: Record<string, Schema>;
  required?: string[];
  additionalProperties?: Schema | boolean;
}

export interface Field {
  /** `data.sources.NAME.file`; `[]` stands for an item of a list. */
  path: string;
  type: string;
  /** As YAML on one line; null where there is none. */
  default: string | null;
  needed: boolean;
  description: string;
}

const whole = (JSON.parse(configSchema()) as { $defs: { whole: Schema } }).$defs.whole;

/** Every key of modelgate.yaml, by its first key, in the order of the schema. */
export function configFields(): Map<string, Field[]> {
  const found = new Map<string, Field[]>();
  for (const [key, schema] of Object.entries(whole.properties ?? {})) {
    const fields = new Map<string, Field>();
    collect(schema, key, whole.required?.includes(key) === true, fields);
    found.set(key, [...fields.values()]);
  }
  return found;
}

/** Adds a key and all below it. Of several forms of one value, keys of the same name are told once. */
function collect(schema: Schema, path: string, needed: boolean, fields: Map<string, Field>): void {
  if (!path.endsWith('[]') && !fields.has(path)) {
    const { default: usual, description = '' } = schema;
    // what is made up of defaults is told key by key
    const plain = usual !== undefined && (typeof usual !== 'object' || Array.isArray(usual));
    fields.set(path, {
      path,
      type: typeOf(schema),
      default: plain ? JSON.stringify(usual) : null,
      needed: needed && usual === undefined,
      description,
    });
  }
  for (const form of [schema, ...(schema.anyOf ?? []), ...(schema.oneOf ?? []), ...(schema.allOf ?? [])]) {
    if (form !== schema && form.properties === undefined && form.items === undefined) continue;
    for (const [key, inner] of Object.entries(form.properties ?? {})) {
      const always = form === schema && form.required?.includes(key) === true;
      collect(inner, `${path}.${key}`, always, fields);
    }
    if (form.items !== undefined && isMapping(form.items)) collect(form.items, `${path}[]`, false, fields);
    const { additionalProperties: named } = form;
    if (typeof named === 'object' && isMapping(named)) collect(named, `${path}.NAME`, false, fields);
  }
}

const isMapping = ({ properties, additionalProperties, anyOf, oneOf }: Schema): boolean =>
  properties !== undefined ||
  additionalProperties !== undefined ||
  [...(anyOf ?? []), ...(oneOf ?? [])].some(isMapping);

function typeOf(schema: Schema): string {
  if (schema.const !== undefined) return `\`${String(schema.const)}\``;
  if (schema.enum !== undefined) return schema.enum.map((one) => `\`${String(one)}\``).join(', ');
  const forms = schema.anyOf ?? schema.oneOf;
  if (forms !== undefined) return [...new Set(forms.map(typeOf))].join(' or ');
  if (schema.type === 'array') {
    return schema.items === undefined || isMapping(schema.items) ? 'list' : `list of ${typeOf(schema.items)}`;
  }
  if (schema.type === 'object') return 'mapping';
  if (schema.type === 'string') return 'text';
  if (schema.type === 'boolean') return 'true or false';
  if (schema.type === 'integer' || schema.type === 'number') return `${schema.type}${rangeOf(schema)}`;
  return schema.type ?? 'any value';
}

function rangeOf({ minimum, maximum, exclusiveMinimum, exclusiveMaximum }: Schema): string {
  const bound = (value: number | undefined) =>
    value === undefined || Math.abs(value) >= Number.MAX_SAFE_INTEGER ? undefined : value;
  const parts = [
    ...(bound(minimum) === undefined ? [] : [`≥ ${minimum}`]),
    ...(bound(exclusiveMinimum) === undefined ? [] : [`> ${exclusiveMinimum}`]),
    ...(bound(maximum) === undefined ? [] : [`≤ ${maximum}`]),
    ...(bound(exclusiveMaximum) === undefined ? [] : [`< ${exclusiveMaximum}`]),
  ];
  return parts.length === 0 ? '' : ` ${parts.join(', ')}`;
}
