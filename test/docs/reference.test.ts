import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { configFields } from '../../scripts/config-fields.ts';

describe('the made reference', () => {
  it('is as the schema, the codes and the runbooks are; npm run docs writes it', () => {
    expect(() =>
      execFileSync(process.execPath, ['scripts/reference-docs.ts', '--check'], { stdio: 'pipe' }),
    ).not.toThrow();
  });

  it('has the keys of modelgate.yaml at every depth, with their defaults', () => {
    const all = [...configFields().values()].flat();
    const byPath = new Map(all.map((field) => [field.path, field]));
    expect(byPath.size).toBe(all.length);
    expect(byPath.get('environments[].approval')).toMatchObject({ type: 'true or false', default: 'false' });
    expect(byPath.get('data.sources.NAME.file')).toMatchObject({ type: 'text', needed: true });
    expect(byPath.get('gate.metrics[].margin')?.type).toBeDefined();
    expect(byPath.get('chatops.command_age')?.default).toBe('"1h"');
  });
});

it('docs/architecture.md says of every folder of src what it holds', () => {
  const page = readFileSync('docs/architecture.md', 'utf8');
  const folders = readdirSync('src', { withFileTypes: true }).filter((entry) => entry.isDirectory());
  expect(folders.map(({ name }) => name).filter((name) => !page.includes(`| \`src/${name}/\` | `))).toEqual(
    [],
  );
});
