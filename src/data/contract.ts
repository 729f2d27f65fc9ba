import { z } from 'zod';
import { UserError, type Where } from '../errors.ts';
import { type KeyPath, parseYaml, schemaError } from '../yaml.ts';
import { thresholdKeys, thresholds } from './threshold.ts';

const text = z.string().min(1).max(2000);
const name = z.string().min(1).max(128);
/** Keys of the standard that describe and are not checked. */
const described = {
  id: text.optional(),
  businessName: text.optional(),
  description: z.unknown().optional(),
  tags: z.array(text).optional(),
  customProperties: z.unknown().optional(),
  authoritativeDefinitions: z.unknown().optional(),
};
const scalar = z.union([z.string(), z.number(), z.boolean()]);

const Quality = z
  .strictObject({
    ...described,
    ...thresholdKeys,
    name: text.optional(),
    type: z.enum(['library', 'custom', 'text']).default('library'),
    engine: z.literal('modelgate').optional(),
    /** `distinctValues` and `distribution` are ours: `type: custom`, `engine: modelgate`. */
    metric: z
      .enum(['rowCount', 'nullValues', 'invalidValues', 'duplicateValues', 'distinctValues', 'distribution'])
      .optional(),
    unit: z.enum(['rows', 'percent']).default('rows'),
    arguments: z
      .strictObject({
        validValues: z.array(scalar).min(1).max(10_000).optional(),
        pattern: text.optional(),
        properties: z.array(name).min(1).max(100).optional(),
      })
      .optional(),
    severity: z.enum(['error', 'warning']).default('error'),
    dimension: text.optional(),
    businessImpact: text.optional(),
    schedule: text.optional(),
    scheduler: text.optional(),
  })
  .superRefine((rule, context) => {
    if (rule.type === 'text') return;
    const ours = rule.metric === 'distinctValues' || rule.metric === 'distribution';
    if (rule.metric === undefined)
      context.addIssue({ code: 'custom', message: 'expected a metric', path: ['metric'] });
    if (thresholds(rule).length !== 1)
      context.addIssue({ code: 'custom', message: 'expected one operator, e.g. mustBeLessThan' });
    if (ours && rule.engine === undefined) {
      context.addIssue({
        code: 'custom',
        message: `${rule.metric} needs type: custom and engine: modelgate`,
        path: ['engine'],
      });
    }
    const { validValues, pattern } = rule.arguments ?? {};
    if (rule.metric === 'invalidValues' && validValues === undefined && pattern === undefined) {
      context.addIssue({
        code: 'custom',
        message: 'expected arguments: validValues or pattern',
        path: ['arguments'],
      });
    }
  });
export type Quality = z.infer<typeof Quality>;

const Property = z.strictObject({
  ...described,
  name,
  logicalType: z
    .enum(['string', 'date', 'timestamp', 'time', 'number', 'integer', 'object', 'array', 'boolean'])
    .optional(),
  physicalType: text.optional(),
  physicalName: text.optional(),
  logicalTypeOptions: z
    .strictObject({
      minimum: z.number().optional(),
      maximum: z.number().optional(),
      exclusiveMinimum: z.boolean().optional(),
      exclusiveMaximum: z.boolean().optional(),
      pattern: text.optional(),
      minLength: z.number().int().nonnegative().optional(),
      maxLength: z.number().int().nonnegative().optional(),
      format: text.optional(),
    })
    .optional(),
  required: z.boolean().default(false),
  unique: z.boolean().default(false),
  primaryKey: z.boolean().default(false),
  primaryKeyPosition: z.number().optional(),
  classification: text.optional(),
  criticalDataElement: z.boolean().optional(),
  examples: z.array(z.unknown()).optional(),
  quality: z.array(Quality).max(100).default([]),
});
export type Property = z.infer<typeof Property>;

const SchemaObject = z.strictObject({
  ...described,
  name,
  logicalType: z.literal('object').optional(),
  physicalType: text.optional(),
  physicalName: text.optional(),
  dataGranularityDescription: text.optional(),
  properties: z.array(Property).min(1).max(2000),
  quality: z.array(Quality).max(100).default([]),
});
export type SchemaObject = z.infer<typeof SchemaObject>;

const Sla = z.looseObject({
  property: text,
  value: z.union([z.number(), z.string()]).optional(),
  unit: text.optional(),
  element: text.optional(),
});

/** The part of the Open Data Contract Standard v3 that is checked; its descriptive parts may stand beside it. */
const DataContract = z.looseObject({
  apiVersion: z.string().regex(/^v3\./, 'expected version 3 of the standard, e.g. v3.1.0'),
  kind: z.literal('DataContract'),
  id: text,
  version: text,
  status: text,
  schema: z.array(SchemaObject).min(1).max(100),
  slaProperties: z.array(Sla).max(100).default([]),
});

export interface Freshness {
  column: string;
  /** Milliseconds. */
  limit: number;
  /** As it is written, e.g. `1 d`. */
  text: string;
  path: KeyPath;
}

/** The contract of one table. `locate` gives the place of a path in the file. */
export interface Contract {
  file: string;
  /** As its owner numbers it. */
  version: string;
  table: SchemaObject;
  /** Path of `table`. */
  path: KeyPath;
  freshness: Freshness[];
  locate(path: KeyPath): Where;
}

const fix = 'Mend it after the Open Data Contract Standard, version 3; docs/data.md lists what is checked.';

/** Reads a contract file. Throws `contract_invalid` with file, line, column. */
export function parseContract(content: string, file: string, source?: string): Contract {
  const yaml = parseYaml(content, file, 'contract_invalid');
  const parsed = DataContract.safeParse(yaml.value);
  if (!parsed.success) {
    throw schemaError({ error: parsed.error, locate: yaml.locate, code: 'contract_invalid', fix });
  }
  const { schema, slaProperties, version } = parsed.data;
  const index = schema.length === 1 ? 0 : schema.findIndex((object) => object.name === source);
  const table = schema[index];
  if (table === undefined) {
    throw new UserError({
      code: 'contract_invalid',
      message: `The contract has ${schema.map((object) => object.name).join(', ')}, and no schema named ${source ?? ''}.`,
      where: yaml.locate(['schema']),
      fix: 'Name the schema object like the source.',
    });
  }
  const freshness = slaProperties.flatMap((sla, at): Freshness[] => {
    if (sla.property !== 'latency' && sla.property !== 'freshness') return [];
    const [object, column] = (sla.element ?? '').includes('.')
      ? (sla.element ?? '').split('.', 2)
      : [table.name, sla.element];
    if (object !== table.name) return [];
    const limit = Number(sla.value) * (unitMilliseconds(sla.unit ?? '') ?? Number.NaN);
    if (column !== undefined && column !== '' && Number.isFinite(limit)) {
      return [{ column, limit, text: `${sla.value} ${sla.unit}`, path: ['slaProperties', at] }];
    }
    throw new UserError({
      code: 'contract_invalid',
      message: `${sla.property} needs an element (table.column), a value and a unit (m, h, d).`,
      where: yaml.locate(['slaProperties', at]),
      fix,
    });
  });
  return { file, version, table, path: ['schema', index], freshness, locate: yaml.locate };
}

function unitMilliseconds(unit: string): number | null {
  if (/^(m|min|minutes?)$/.test(unit)) return 60_000;
  if (/^(h|hr|hours?)$/.test(unit)) return 3_600_000;
  return /^(d|days?)$/.test(unit) ? 86_400_000 : null;
}
