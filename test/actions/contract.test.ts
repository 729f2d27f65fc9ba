import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { actionNames, commandOf, eventActionNames } from '../../actions/names.ts';
import { commonOutputs, jsonOutputs, stageOutputs } from '../../actions/outputs.ts';
import { bundleEntries } from '../../scripts/bundles.ts';
import { loadCommand } from '../../src/stages/commands.ts';
import type { Stage } from '../../src/stages/define.ts';
import { evaluate } from '../../src/stages/evaluate.ts';
import { features } from '../../src/stages/features.ts';
import { gate } from '../../src/stages/gate.ts';
import { ingest } from '../../src/stages/ingest.ts';
import { models } from '../../src/stages/models.ts';
import { monitor } from '../../src/stages/monitor.ts';
import { poll } from '../../src/stages/poll.ts';
import { promote } from '../../src/stages/promote.ts';
import { reconcile } from '../../src/stages/reconcile.ts';
import { register } from '../../src/stages/register.ts';
import { rollback } from '../../src/stages/rollback.ts';
import { scan } from '../../src/stages/scan.ts';
import { site } from '../../src/stages/site.ts';
import { split } from '../../src/stages/split.ts';
import { status } from '../../src/stages/status.ts';
import { train } from '../../src/stages/train.ts';
import { validate } from '../../src/stages/validate.ts';
import { verify } from '../../src/stages/verify.ts';
import { hashFile } from '../../src/store/store.ts';

const root = path.join(import.meta.dirname, '../..');

interface Action {
  description: string;
  inputs: Record<string, { description: string; required: boolean; default?: string }>;
  outputs: Record<string, { description: string }>;
  runs: { using: string; main: string };
}
const readAction = (file: string) => parse(readFileSync(path.join(root, file), 'utf8')) as Action;

const stages: Record<string, Pick<Stage<never, unknown>, 'outputs'>> = {
  models,
  ingest,
  validate,
  features,
  split,
  train,
  scan,
  evaluate,
  gate,
  register,
  promote,
  rollback,
  monitor,
  poll: poll({
    github: null,
    read: async () => ({}),
    hash: { putFile: hashFile },
    committed: async () => new Set(),
  }),
  status,
  verify,
  reconcile,
  site,
};

interface Property {
  type?: string | string[];
  anyOf?: Property[];
  const?: unknown;
  enum?: unknown[];
}

/** Whether a value of this JSON Schema can be a string, number or boolean. */
function mayBeScalar({ type, anyOf, enum: choices }: Property): boolean {
  if (anyOf !== undefined) return anyOf.some(mayBeScalar);
  const scalar = ['string', 'number', 'integer', 'boolean'];
  return choices !== undefined || [type ?? []].flat().some((name) => scalar.includes(name));
}

describe('actions and commands are one contract', () => {
  it('every action.yml, README and the page of actions are what the commands say', () => {
    // `node scripts/update-action-docs.ts --check` prints what is not up to date.
    expect(() =>
      execFileSync(process.execPath, ['scripts/update-action-docs.ts', '--check'], {
        cwd: root,
        stdio: 'pipe',
      }),
    ).not.toThrow();
  });

  it('there is a folder for every action and no other', () => {
    const folders = readdirSync(path.join(root, 'actions'), { withFileTypes: true })
      .filter(
        (entry) => entry.isDirectory() && existsSync(path.join(root, 'actions', entry.name, 'action.yml')),
      )
      .map((entry) => entry.name);
    expect(folders.sort()).toEqual([...actionNames, ...eventActionNames].sort());
  });

  it.each(actionNames)('%s: inputs are the options of its command', async (name) => {
    const action = readAction(`actions/${name}/action.yml`);
    const command = (await loadCommand(commandOf(name)))!;
    expect(action.description).toBe(command.description);
    for (const [key, option] of Object.entries(command.options.shape)) {
      const input = action.inputs[key.replaceAll('_', '-')];
      expect(input, key).toBeDefined();
      expect(input!.description).toContain((option as z.ZodType).description);
      // Required exactly where leaving it out is refused.
      expect(input!.required).toBe(!z.safeParse(option as z.ZodType, undefined).success);
      const fallback = z.safeParse(option as z.ZodType, undefined);
      if (fallback.success && fallback.data !== undefined) expect(input!.default).toBe(String(fallback.data));
    }
  });

  it.each(Object.keys(stages))('%s: outputs are the scalars of its stage, and what is JSON', (name) => {
    const action = readAction(`actions/${name}/action.yml`);
    const schema = z.toJSONSchema(stages[name]!.outputs, { unrepresentable: 'any' }) as {
      properties?: Record<string, Property>;
    };
    const scalars = Object.entries(schema.properties ?? {})
      .filter(([key, property]) => mayBeScalar(property) || jsonOutputs.includes(key))
      .map(([key]) => key.replaceAll('_', '-'))
      .filter((key) => !(key in commonOutputs));
    const declared = Object.keys(action.outputs).filter((key) => !(key in commonOutputs));
    expect(declared.sort()).toEqual(scalars.sort());
    expect(declared).toEqual(Object.keys(stageOutputs[name as keyof typeof stageOutputs]).sort());
  });

  it('each starts its own entry of the bundle on Node 24', () => {
    const entries = bundleEntries(root);
    for (const name of [...actionNames, ...eventActionNames]) {
      expect(readAction(`actions/${name}/action.yml`).runs).toEqual({
        using: 'node24',
        main: `../../dist/${name}.js`,
      });
      expect(entries[name]).toBe(`actions/${name}/index.ts`);
    }
  });

  it.each(eventActionNames)('%s: its README tells every input and output as action.yml does', (name) => {
    const action = readAction(`actions/${name}/action.yml`);
    const page = readFileSync(path.join(root, 'actions', name, 'README.md'), 'utf8');
    for (const [key, { description }] of Object.entries({ ...action.inputs, ...action.outputs })) {
      expect(page).toContain(`| \`${key}\` | ${description} |`);
    }
  });

  it('the façade takes the inputs of all stages and needs only the stage', () => {
    const facade = readAction('action.yml');
    for (const name of actionNames) {
      const action = readAction(`actions/${name}/action.yml`);
      expect(Object.keys(facade.inputs)).toEqual(expect.arrayContaining(Object.keys(action.inputs)));
      expect(Object.keys(facade.outputs)).toEqual(expect.arrayContaining(Object.keys(action.outputs)));
    }
    const required = Object.entries(facade.inputs).filter(([, input]) => input.required);
    expect(required.map(([name]) => name)).toEqual(['stage']);
    expect(facade.runs.main).toBe('dist/stage.js');
  });
});
