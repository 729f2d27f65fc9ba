/**
 * Writes docs/schema/modelgate.schema.json, for completion and checks in editors. With --check it only says
 * whether the file is up to date.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { z } from 'zod';
import { Config } from '../src/config/schema.ts';

const file = 'docs/schema/modelgate.schema.json';

interface JsonSchema {
  [key: string]: unknown;
  $defs?: Record<string, unknown>;
  properties: Record<string, unknown>;
}

export function configSchema(): string {
  const { $defs, $schema, ...whole } = z.toJSONSchema(Config, {
    io: 'input',
    unrepresentable: 'any',
  }) as JsonSchema;
  // The loader puts the content of a gate policy's file in place of its path.
  const file = { type: 'string', description: 'A file that holds the policy.' };
  whole.properties.gate = { anyOf: [whole.properties.gate, file] };
  return `${JSON.stringify(
    {
      $schema,
      $id: 'modelgate.schema.json',
      title: 'modelgate.yaml',
      $defs: { ...$defs, whole, changes: withoutRequired(whole) },
      // What another file extends is there already: only what changes is written.
      if: { required: ['extends'] },
      // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
      then: { $ref: '#/$defs/changes' },
      else: { $ref: '#/$defs/whole' },
    },
    null,
    2,
  )}\n`;
}

/** The same mappings with every key left to choice. Lists are replaced whole, so their items stay as they are. */
function withoutRequired(schema: unknown): unknown {
  if (typeof schema !== 'object' || schema === null || Array.isArray(schema)) return schema;
  return Object.fromEntries(
    Object.entries(schema)
      .filter(([key]) => key !== 'required')
      .map(([key, value]) => {
        if (key === 'items') return [key, value];
        if (key === 'anyOf' || key === 'oneOf') return ['anyOf', (value as unknown[]).map(withoutRequired)];
        return [key, withoutRequired(value)];
      }),
  );
}

if (import.meta.main) {
  const wanted = configSchema();
  if (process.argv.includes('--check')) {
    if ((await readFile(file, 'utf8').catch(() => '')) !== wanted) {
      console.error(`${file} is out of date: run npm run schema`);
      process.exitCode = 1;
    }
  } else {
    await mkdir('docs/schema', { recursive: true });
    await writeFile(file, wanted);
  }
}
