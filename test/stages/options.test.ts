import { expect, it } from 'vitest';
import { z } from 'zod';
import { loadCommands } from '../../src/stages/commands.ts';
import { describeOptions } from '../../src/stages/options.ts';

it('options of every command are described as their JSON Schema says', async () => {
  for (const { name, options } of await loadCommands()) {
    const { properties = {} } = z.toJSONSchema(options, { io: 'output' });
    const described = describeOptions(options);
    expect(described.map((option) => option.name)).toEqual(Object.keys(properties));
    for (const option of described) {
      const schema = properties[option.name];
      if (typeof schema !== 'object') throw new Error(`${name}: ${option.name} has no schema`);
      const value =
        option.multiple && typeof schema.items === 'object' && !Array.isArray(schema.items)
          ? schema.items
          : schema;
      expect(option.multiple).toBe(schema.type === 'array');
      expect(option.kind).toBe(value.type === 'integer' ? 'number' : 'type' in value ? value.type : 'string');
      expect(option.description).toBe(schema.description);
      expect(option.default).toBe(schema.default === undefined ? undefined : String(schema.default));
      expect(option.choices).toEqual(schema.enum);
      expect(option.required).toBe(!z.safeParse(options.shape[option.name] as z.ZodType, undefined).success);
    }
  }
});

it('an option of another kind is a fault of ours, found when it is described', () => {
  expect(() => describeOptions(z.object({ when: z.date() }))).toThrow(/option when is neither/);
});
