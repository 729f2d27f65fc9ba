/**
 * Writes docs/schema/modelgate.schema.json, for completion and checks in editors. With --check it only says
 * whether the file is up to date.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { z } from 'zod';
import { Config } from '../src/config/schema.ts';

const file = 'docs/schema/modelgate.schema.json';

export function configSchema(): string {
  const json = z.toJSONSchema(Config, { io: 'input', unrepresentable: 'any' }) as Record<string, unknown> & {
    properties: Record<string, unknown>;
    required: string[];
  };
  // The loader puts the content of a gate policy's file in place of its path.
  const gate = json.properties.gate;
  json.properties.gate = { anyOf: [gate, { type: 'string', description: 'A file that holds the policy.' }] };
  return `${JSON.stringify({ $id: 'modelgate.schema.json', title: 'modelgate.yaml', ...json, anyOf: [{ required: json.required }, { required: ['extends'] }], required: [] }, null, 2)}\n`;
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
