import { z } from 'zod';

export interface OptionInfo {
  /** snake_case, as in code and JSON. */
  name: string;
  /** kebab-case, as a flag and as an action's input. */
  flag: string;
  kind: 'string' | 'number' | 'boolean';
  description: string;
  required: boolean;
  default: string | undefined;
  /** The allowed words, if they are few. */
  choices: readonly string[] | undefined;
  /** Whether it may be given more than once. */
  multiple: boolean;
}

interface JsonSchema {
  properties?: Record<
    string,
    JsonSchema & {
      type?: string;
      enum?: string[];
      default?: unknown;
      description?: string;
      items?: JsonSchema;
    }
  >;
  required?: string[];
  type?: string;
  anyOf?: (JsonSchema & { type?: string })[];
}

/** What flags, action inputs, help and README tables are made from: a command's zod options, described. */
export function describeOptions(options: z.ZodObject<z.ZodRawShape>): OptionInfo[] {
  const given = z.toJSONSchema(options, { io: 'input', unrepresentable: 'any' }) as JsonSchema;
  // What is coerced can be given as anything: its kind is that of what comes out.
  const parsed = z.toJSONSchema(options, { io: 'output', unrepresentable: 'any' }) as JsonSchema;
  return Object.entries(parsed.properties ?? {}).map(([name, property]) => {
    const multiple = property.type === 'array';
    const type = multiple ? property.items?.type : (property.type ?? property.anyOf?.[0]?.type);
    return {
      name,
      flag: name.replaceAll('_', '-'),
      kind: type === 'boolean' ? 'boolean' : type === 'number' || type === 'integer' ? 'number' : 'string',
      description: property.description ?? '',
      required: (given.required ?? []).includes(name) && property.default === undefined,
      default: property.default === undefined ? undefined : String(property.default),
      choices: property.enum,
      multiple,
    };
  });
}
