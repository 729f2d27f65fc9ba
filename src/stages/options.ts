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

/** What flags, action inputs, help and README tables are made from: a command's zod options, described. */
export function describeOptions(options: z.ZodObject<z.ZodRawShape>): OptionInfo[] {
  return Object.entries(options.shape).map(([name, schema]) => {
    const { value, required, byDefault } = bare(schema as z.ZodType);
    const multiple = value instanceof z.ZodArray;
    return {
      name,
      flag: name.replaceAll('_', '-'),
      kind: kindOf(multiple ? (value.element as z.ZodType) : value, name),
      description: (schema as z.ZodType).description ?? value.description ?? '',
      required,
      default: byDefault === undefined ? undefined : String(byDefault),
      choices: value instanceof z.ZodEnum ? value.options.map(String) : undefined,
      multiple,
    };
  });
}

/** A schema without what says that it may be left out. */
function bare(schema: z.ZodType): { value: z.ZodType; required: boolean; byDefault: unknown } {
  if (schema instanceof z.ZodOptional) return { ...bare(schema.unwrap() as z.ZodType), required: false };
  if (schema instanceof z.ZodDefault) {
    return { ...bare(schema.unwrap() as z.ZodType), required: false, byDefault: schema.def.defaultValue };
  }
  return { value: schema, required: true, byDefault: undefined };
}

function kindOf(schema: z.ZodType, name: string): OptionInfo['kind'] {
  if (schema instanceof z.ZodBoolean) return 'boolean';
  if (schema instanceof z.ZodNumber) return 'number';
  if (schema instanceof z.ZodString || schema instanceof z.ZodEnum) return 'string';
  throw new TypeError(`the option ${name} is neither text, number nor boolean`);
}
